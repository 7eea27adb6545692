"""``regen deliver --to ledger``: it ends when nothing waits any more, and tells what is parked."""

from __future__ import annotations

import signal
from datetime import timedelta

import pytest

from regen_core.adapters.cli.stopping import Stop
from regen_core.adapters.sql import SqlStore
from regen_core.attempts import Parked
from regen_core.ports import Settlement
from tests.relay.conftest import ALL
from tests.relay.test_command import POSIX, Regen, ended, regen, sent

__all__ = ["regen", "sent"]

LEDGER = ("deliver", "--to", "ledger")


def claimed(of: Regen, seconds: float) -> None:
    """What a relay leaves behind that died: two deliveries that nobody else gets before its lease is over."""
    with SqlStore.open(of.url) as store:
        assert len(store.claim(ALL, 2, timedelta(seconds=seconds))) == 2


class TestWhatADeadRelayHad:
    """It is due when its lease is over, as for any other place."""

    def test_it_is_waited_for(self, regen: Regen, sent: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
        """Exit status 0 means that all of it is in the ledger; it sleeps in between, and doesn't spin."""
        naps: list[float] = []
        sleep = Stop.sleep

        def napping(stop: Stop, seconds: float) -> None:
            naps.append(seconds)
            sleep(stop, seconds)

        monkeypatch.setattr(Stop, "sleep", napping)
        claimed(regen, 0.5)
        said = regen(*LEDGER, "--json")
        assert (said.code, said.json["delivered"], said.json["waiting"]) == (0, len(sent), 0)
        assert naps
        assert all(0.05 <= each <= 1 for each in naps)

    def test_control_once_waits_for_nothing(self, regen: Regen, sent: list[str]) -> None:
        """What is left is told."""
        claimed(regen, 3600)
        said = regen(*LEDGER, "--once")
        assert (said.code, said.out) == (
            0,
            "3 deliveries to the ledger: 3 collected, 0 ignored (REV-1, REV-2); 2 waiting\n",
        )

    @POSIX
    def test_ctrl_c_ends_the_waiting(self, regen: Regen, sent: list[str]) -> None:
        """With exit status 3, as it isn't done."""
        claimed(regen, 3600)
        process = regen.started(*LEDGER, "--json")
        with SqlStore.open(regen.url) as store:
            while store.acknowledged_count(ALL) < 3:
                assert process.poll() is None
        process.send_signal(signal.SIGINT)
        said = ended(process)
        assert (said.code, said.json["success"], said.json["delivered"], said.json["waiting"]) == (3, False, 3, 2)


class TestWhatIsParked:
    """Nobody waits for it, and nobody forgets it."""

    def test_it_is_told_with_what_to_do(self, regen: Regen, sent: list[str]) -> None:
        """For people and for programs; released, it is delivered, too."""
        with SqlStore.open(regen.url) as store:
            (entry,) = store.claim(ALL, 1, timedelta(0))
            store.settle(ALL, [Settlement(entry, Parked("HTTP 422"))])
        said = regen(*LEDGER)
        assert said.code == 0
        assert said.out.splitlines()[0].endswith("4 collected, 0 ignored (REV-1, REV-2); 1 parked")
        assert "--retry-parked" in said.out
        assert regen(*LEDGER, "--json").json == {
            "success": True, "to": "ledger", "delivered": 0, "collected": 0, "ignored": 0, "waiting": 0, "parked": 1,
        }  # fmt: skip
        assert "1 delivery to the ledger: 1 collected" in regen(*LEDGER, "--retry-parked").out
