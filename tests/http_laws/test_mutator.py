"""PRE-1, PRE-4, REQ-9, REQ-14: whatever layer of a request is broken, its refusal comes, at once, and nothing else."""

from __future__ import annotations

import time
from collections.abc import Callable
from random import Random

import pytest
from attrs import evolve

from regen_core.adapters.memory import MemoryStore
from regen_core.refusals import REFUSALS, InvalidField, InvalidHeader, Refusal, UnreadableBody
from regen_core.wire import submission
from regen_core.wire.submission import Admitted, Submission, admit
from tests.crash.profiles import scaled
from tests.http_laws import mutate
from tests.http_laws.breaking import BREAKS, HARMLESS, NOISE
from tests.http_laws.mutate import PER_SEED, main, spoilt, through_admit
from tests.http_laws.mutate_service import World, through_service

PARTS = scaled(quick=4, deep=10)
"""So that several processes share the requests evenly."""

ADMITTED, SERVED = scaled(quick=8, deep=2400), scaled(quick=4, deep=100)
"""Seeds of 2,000 requests: deep, five millions in all."""


@pytest.mark.parametrize("part", range(PARTS))
def test_the_ladder_answers_what_is_due(part: int) -> None:
    """Ranks 0 to 12, by the core alone."""
    tried = 0
    for seed in range(part, ADMITTED, PARTS):
        assert through_admit(seed) is None
        tried += PER_SEED
    assert tried >= scaled(quick=4_000, deep=480_000)


@pytest.mark.parametrize("part", range(PARTS))
def test_the_service_answers_what_is_due_and_stores_nothing(part: int) -> None:
    """The same through the whole application."""
    tried = 0
    for seed in range(part, SERVED, PARTS):
        world = World()
        assert through_service(seed, world) is None
        tried += world.asked
    assert tried >= scaled(quick=2_000, deep=20_000)


def test_a_value_that_became_a_name_may_be_told() -> None:
    """Found once: dice on the body had made an unknown field of an id."""
    assert through_service(99) is None


def test_every_layer_is_broken() -> None:
    """Each way occurs, alone and with others, and each refusal of ranks 0 to 12 is due at some time."""
    rng = Random(0)  # noqa: S311  # reproducible
    drawn = [spoilt(rng) for _ in range(20_000)]
    alone = {each.names[0] for each in drawn if len(each.names) == 1}
    assert {each.name for each in (*BREAKS, *NOISE)} <= alone
    assert len([name for name in alone if name.startswith("harmless")]) == len(HARMLESS)
    ranked = {each for each in REFUSALS if each.rank is not None and each.rank <= 12}
    assert {each.due for each in drawn if not each.is_noise and each.due is not None} == ranked
    assert len({each.names for each in drawn if len(each.names) == 2}) > 200


def test_a_range_is_run_from_the_command_line(capsys: pytest.CaptureFixture[str]) -> None:
    """Two seeds, one line."""
    assert main(["admit", "--seeds", "7:9"]) == 0
    told = capsys.readouterr().out
    assert told.startswith("seeds 7:9, ")
    assert ", 4000 requests, " in told


def _lax(raw: bytes, _is_gzip: bool, _most: int) -> object:
    """REQ-14: whatever the standard library reads is read."""
    import json  # noqa: PLC0415  # the fault is planted here

    try:
        body = json.loads(raw)
    except ValueError:
        return UnreadableBody("it isn't JSON")
    return body if isinstance(body, dict) else UnreadableBody("it is no object")


def _body_first(given: Submission) -> Admitted | Refusal:
    """PRE-1: rank 7 before rank 6."""
    outcome = admit(given)
    if not isinstance(outcome, InvalidHeader):
        return outcome
    rest = [each for each in given.headers if each[0].lower() not in ("idempotency-key", "zuora-track-id")]
    later = admit(evolve(given, headers=tuple(rest)))
    return later if isinstance(later, UnreadableBody) else outcome


def _tells_values(given: Submission) -> Admitted | Refusal:
    """A value of the caller's stands in a message."""
    outcome = admit(given)
    return InvalidField(outcome.field, f"is wrong: {given.body!r}") if isinstance(outcome, InvalidField) else outcome


def _hangs(given: Submission) -> Admitted | Refusal:
    """A text that keeps it busy."""
    began = time.process_time()
    while b"[[[[[" in given.body and time.process_time() < began + 2 * mutate.MOST_SECONDS:
        pass
    return admit(given)


def _falls(given: Submission) -> Admitted | Refusal:
    """A header that nobody thought of."""
    assert not any(not value.isascii() for _, value in given.headers)
    return admit(given)


class TestControls:
    """Faults are planted; the mutator must notice each."""

    @pytest.mark.parametrize("broken", [_body_first, _tells_values, _hangs], ids=lambda each: each.__name__)
    def test_control_a_broken_ladder_is_noticed(
        self, monkeypatch: pytest.MonkeyPatch, broken: Callable[[Submission], Admitted | Refusal]
    ) -> None:
        monkeypatch.setattr(mutate, "admit", broken)
        assert through_admit(0) is not None

    def test_control_an_exception_is_noticed(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(mutate, "admit", _falls)
        with pytest.raises(AssertionError):
            through_admit(0)

    def test_control_lax_json_is_noticed(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(submission, "_read_body", _lax)
        assert through_admit(0) is not None

    @pytest.mark.parametrize("layer", ["_header_refusal", "_before_everything"])
    def test_control_a_layer_that_nobody_looks_at_is_noticed(self, monkeypatch: pytest.MonkeyPatch, layer: str) -> None:
        monkeypatch.setattr(submission, layer, lambda *_: None)
        assert through_admit(0) is not None

    @pytest.mark.parametrize("fault", ["raises", "stores"])
    def test_control_a_faulty_store_is_noticed(self, fault: str) -> None:
        """A fault that becomes a 500; a refusal that leaves something behind."""

        class Faulty(MemoryStore):
            def regenerate(self, *given: object, **named: object) -> object:  # type: ignore[override]  # as it comes
                outcome = world.store.regenerate(*given, **named)  # type: ignore[arg-type]
                if getattr(outcome, "rank", None) == 15:
                    if fault == "raises":
                        raise KeyError(fault)
                    world.store._outbox += (None,)  # type: ignore[operator]  # whatever it is, it is too much
                return outcome

        world = World(around=lambda _: Faulty())
        found = through_service(0, world)
        assert found is not None
        assert ("500: KeyError" if fault == "raises" else "something is stored") in found

    def test_control_a_lost_track_id_is_noticed(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("regen_core.adapters.http.exchange.track_id_of", lambda _: None)
        found = through_service(0)
        assert found is not None
        assert "track id" in found
