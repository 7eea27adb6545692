"""The edge: databases, files and the command line. An adapter loads, asks the core, persists and translates.

No rule lives here; a question about a mode or a flag belongs to :mod:`regen_core.decision_table`.
"""
