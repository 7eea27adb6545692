"""Injected faults: what happens to which operation, as a value; and what that does to a client."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from regen_core.adapters.http.window.faults import MAX_COUNT, MAX_DELAY_MS, NO_FAULTS, Effect, Faults, next_effect
from tests.http_window.conftest import INVOICE, ONE, TWO, Dropped, Watch, Watched, asked, scope_of

COUNTS = st.integers(0, 20)


class TestTheStep:
    """Faults are used up one operation at a time, in a fixed order."""

    @given(faults=st.builds(Faults, refuse=COUNTS, drop=COUNTS, delay_ms=st.integers(0, MAX_DELAY_MS)), more=COUNTS)
    def test_first_the_refused_then_the_dropped_then_none(self, faults: Faults, more: int) -> None:
        """As many as were asked for, and every operation late."""
        left, effects = faults, []
        for _ in range(faults.refuse + faults.drop + more):
            effect, left = next_effect(left)
            effects.append(effect)
        refused = [Effect(delay_ms=faults.delay_ms, refuse=True)] * faults.refuse
        dropped = [Effect(delay_ms=faults.delay_ms, drop=True)] * faults.drop
        assert effects == [*refused, *dropped, *[Effect(delay_ms=faults.delay_ms)] * more]
        assert left == Faults(delay_ms=faults.delay_ms)

    def test_nothing_goes_wrong_unasked(self) -> None:
        """The control, and the ordinary case."""
        assert next_effect(NO_FAULTS) == (Effect(), NO_FAULTS)
        assert NO_FAULTS.is_quiet
        assert not Faults(drop=1).is_quiet

    @pytest.mark.parametrize("name", ["refuse", "drop", "delay_ms"])
    @pytest.mark.parametrize("value", [-1, 1 + max(MAX_COUNT, MAX_DELAY_MS), 1.5, True, "1", None])
    def test_a_number_that_cannot_be(self, name: str, value: object) -> None:
        """Bounded whole numbers, and no booleans."""
        with pytest.raises((TypeError, ValueError), match=name):
            Faults(**{name: value})  # type: ignore[arg-type]  # that is the point


class TestOnTheService:
    """What a client meets, whoever it is."""

    def test_a_refused_commit_stores_nothing_and_may_be_sent_again(self, sandbox: Watched) -> None:
        """503 with category 61, as often as asked for, then as ever (PRE-3)."""
        sandbox.tell("examples", "posted")
        sandbox.tell("faults", {"refuse": 2})
        for _ in range(2):
            answer = sandbox.operation(key="k1")
            assert (answer.status_code, answer.json()["reasons"][0]["code"]) == (503, 50000061)
            assert not sandbox.store.transactions(scope_of(ONE)).rows
        done = sandbox.operation(key="k1")
        assert done.status_code == 200
        assert "idempotent-replayed" not in done.headers
        assert sandbox.store.transactions(scope_of(ONE)).rows

    def test_a_dropped_connection_is_stored_and_the_key_tells(self, sandbox: Watched) -> None:
        """The commit is durable, the answer is lost, and the same key gets the first result (IDM-1, IDM-8)."""
        sandbox.tell("examples", "posted")
        sandbox.tell("faults", {"drop": 1})
        with pytest.raises(Dropped):
            sandbox.operation(key="k1")
        stored = sandbox.store.transactions(scope_of(ONE)).rows
        assert stored
        again = sandbox.operation(key="k1")
        assert (again.status_code, again.headers["idempotent-replayed"]) == (200, "true")
        assert sandbox.store.transactions(scope_of(ONE)).rows == stored

    def test_without_a_key_the_retry_counts_twice(self, sandbox: Watched) -> None:
        """The control: what the key is for can be seen without it."""
        sandbox.tell("examples", "posted")
        sandbox.tell("faults", {"drop": 1})
        with pytest.raises(Dropped):
            sandbox.operation()
        before = sandbox.store.backlog(scope_of(ONE)).waiting
        assert sandbox.operation().status_code == 200
        assert sandbox.store.backlog(scope_of(ONE)).waiting > before

    def test_a_delay_is_waited_for(self, sandbox: Watched) -> None:
        """Not sooner; how much later isn't asked."""
        sandbox.tell("examples", "posted")
        sandbox.tell("faults", {"delay_ms": 120})
        sandbox.operation()
        assert sandbox.ask("requests")["requests"][0]["milliseconds"] >= 120

    def test_they_are_one_tenants_own(self, watch: Watch) -> None:
        """Nobody breaks anybody else's operations (ACC-4)."""
        both = watch(ONE, TWO)
        for client in ("one", "two"):
            both.tell("examples", "posted", client=client)
        both.tell("faults", {"refuse": 1}, client="one")
        assert both.operation(TWO).status_code == 200
        assert both.operation(ONE).status_code == 503

    def test_they_can_be_stopped(self, sandbox: Watched) -> None:
        """All at once."""
        sandbox.tell("examples", "posted")
        sandbox.tell("faults", {"refuse": 5, "drop": 5, "delay_ms": 5})
        assert sandbox.ask("faults") == {"refuse": 5, "drop": 5, "delay_ms": 5}
        answer = sandbox.request("DELETE", sandbox.path + "faults", headers={"content-type": "application/json"})
        assert answer.json() == {"refuse": 0, "drop": 0, "delay_ms": 0}
        assert sandbox.operation().status_code == 200

    def test_the_page_is_told_what_a_client_would_see(self, sandbox: Watched) -> None:
        """Its own runs meet the faults too, without its own connection breaking."""
        sandbox.tell("examples", "posted")
        sandbox.tell("faults", {"refuse": 1, "drop": 1})
        refused, dropped, done = (sandbox.tell("run", asked()) for _ in range(3))
        assert (refused["status"], refused["request"]["name"]) == (503, "TemporaryFault")
        assert "injected" in refused["request"]["told"]
        assert (dropped["status"], dropped["body"]) == (None, "")
        assert done["status"] == 200
        names = [(each["name"], each["status"]) for each in sandbox.ask("requests")["requests"]]
        assert names == [("GENERATE", 200), ("dropped", None), ("TemporaryFault", 503)]
        assert sandbox.document(INVOICE)["lines"][0]["stored"]["deliveries"] == 2
