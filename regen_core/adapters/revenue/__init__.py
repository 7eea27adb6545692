"""The relay from the outbox to Revenue, and the places that it delivers to.

Owns sending. What follows an answer is decided in :mod:`regen_core.attempts`, what is due in the store.
"""
