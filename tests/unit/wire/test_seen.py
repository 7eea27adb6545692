"""A few bytes per name: the table of fingerprints against a dictionary."""

from __future__ import annotations

import random

from regen_core.wire.seen import SeenNames, fingerprint


def test_it_answers_like_a_dictionary() -> None:
    """Claimed, released, put and claimed again, over several sizes of the table and with fingerprints that collide."""
    drawn = random.Random(7)  # noqa: S311  # a fixed sequence, no secret
    names = [drawn.randrange(1, 1 << 64) for _ in range(4_000)] + [1 << bit for bit in range(64)]
    seen, model = SeenNames(), dict[int, int]()
    for number in range(20_000):
        name = drawn.choice(names)
        verb = drawn.choice(["claim", "claim", "claim", "release", "put"])
        if verb == "claim":
            assert seen.claim(name, number) == model.get(name)
            model.setdefault(name, number)
        elif verb == "release":
            seen.release(name)
            model.pop(name, None)
        else:
            seen.put(name, number)
            model[name] = number
        assert seen.get(name) == model.get(name)
    assert {name: seen.get(name) for name in names if seen.get(name) is not None} == model


def test_a_name_of_one_kind_is_not_that_of_another() -> None:
    """An invoice and a credit memo may have the same number."""
    assert fingerprint("Invoice", "1") != fingerprint("CreditMemo", "1")
    assert fingerprint("Invoice", "1") == fingerprint("Invoice", "1") > 0
