"""The kit: what it takes to check that a store or a service regenerates as the rules say. The core never imports it.

``model`` is the law once more, naively and on its own; ``laws`` are the convergence laws as functions; ``subject``
says how a system is built and driven, and that is the one thing to override; ``harness`` performs steps on a system and
checks laws and model after each; ``edits`` are documents that change; ``strategies`` and ``machine`` need Hypothesis;
``simulation``, ``decisions`` and ``breaks`` need nothing. Six lines put a
system under the machine::

    from regen_core.testing.adapted import StoreSubject  # for a store of the ports; a subject needs no adapting
    from regen_core.testing.machine import regeneration_machine

    TestMyStore = regeneration_machine(lambda: StoreSubject(MyStore)).TestCase

``conformance`` is the whole run on a ``module:factory``: laws, model, ``stories``, ``idempotent``, ``units_of_work``,
``corpus``; it makes the report. ``services`` puts a service over HTTP, and what is behind it, in the place of a store;
``clients`` are who asks it. ``suite`` is the same as tests. docs/how-to/prove-your-store.md shows each way.
"""
