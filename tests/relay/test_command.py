"""``regen deliver`` to an address, as people and scripts use it, several at once included."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from attrs import frozen
from click.testing import CliRunner

from regen_core.adapters.cli.main import cli
from regen_core.adapters.sql import SqlStore
from regen_core.revenue import RevenueLedger, collect_all
from tests.command import Said
from tests.forks.starting import fast
from tests.relay.conftest import ALL, fill
from tests.relay.receiver import Behaviour, Receiver, answers, refuses

CANARY = "canary-7f3a9"
WHOSE = ("--tenant", "t1", "--entity", "e1")
POSIX = pytest.mark.skipif(os.name != "posix", reason="signals of POSIX")


@frozen
class Regen:
    """The command line on one database."""

    path: Path

    @property
    def url(self) -> str:
        """Of the database."""
        return f"sqlite:///{self.path}"

    @property
    def environment(self) -> dict[str, str]:
        """Without settings of the user's own."""
        kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
        return {**kept, "REGEN_DB": self.url, "PYTHONWARNINGS": "error"}

    def __call__(self, *args: str, **environment: str) -> Said:
        """Run a command in this process."""
        told = {**self.environment, **environment}
        done = CliRunner().invoke(cli, [*args, *WHOSE], env=told, prog_name="regen")
        if done.exception is not None and not isinstance(done.exception, SystemExit):
            raise done.exception
        return Said(done.exit_code, done.stdout, done.stderr)

    def started(self, *args: str) -> subprocess.Popen[str]:
        """Start a command as a process of its own."""
        pipe = subprocess.PIPE
        return subprocess.Popen(
            [*fast(), *args, *WHOSE], stdout=pipe, stderr=pipe, text=True, env=self.environment, cwd=self.path.parent
        )


def ended(process: subprocess.Popen[str]) -> Said:
    """Wait for the end of a process."""
    out, err = process.communicate(timeout=300)
    return Said(process.returncode, out, err)


@pytest.fixture
def regen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Regen:
    """A command line on an empty database; in this process it waits as briefly as it may."""
    monkeypatch.setattr("random.random", lambda: 0.0)
    return Regen(tmp_path / "regen.db")


@pytest.fixture
def sent(regen: Regen) -> list[str]:
    """The ids of five deliveries that wait."""
    with SqlStore.open(regen.url) as store:
        return fill(store, 5)


class TestDelivering:
    """Exit status 0 where everything arrived, 1 where something was parked."""

    def test_everything_arrives(self, regen: Regen, sent: list[str], receiver: Receiver) -> None:
        """And is shown as acknowledged."""
        said = regen("deliver", "--to", receiver.url)
        assert (said.code, said.err) == (0, "")
        assert said.out == f"5 deliveries delivered to {receiver.url}\n"
        assert receiver.ids == sent
        assert regen("show", "deliveries", "--pending", "--json").json["deliveries"] == []
        assert regen("deliver", "--to", receiver.url, "--json").json["delivered"] == 0

    def test_what_fails_is_tried_again_in_the_same_run(self, regen: Regen, sent: list[str], receiver: Receiver) -> None:
        """And told while it happens."""
        receiver.plan(answers(503), answers(500))
        said = regen("deliver", "--to", receiver.url, "--json")
        assert said.code == 0
        assert said.json == {
            "success": True, "to": receiver.url, "delivered": 5, "retried": 6, "parked": 0, "waiting": 0,
            "parked_deliveries": [],
        }  # fmt: skip
        assert "5 deliveries not taken: HTTP 503" in said.err
        assert sorted(receiver.ids) == sorted(sent)

    def test_what_is_refused_is_parked_and_told(self, regen: Regen, sent: list[str], receiver: Receiver) -> None:
        """The others arrive; released, it arrives too."""
        receiver.otherwise = refuses(sent[2])
        said = regen("deliver", "--to", receiver.url)
        assert said.code == 1
        assert f"4 deliveries delivered to {receiver.url}, 1 parked" in said.out
        assert f"{sent[2]}: HTTP 422" in said.out
        assert f"delivery {sent[2]} is parked: HTTP 422" in said.err
        (row,) = regen("show", "deliveries", "--parked", "--json").json["deliveries"]
        assert (row["id"], row["attempts"], row["fault"][:8]) == (sent[2], 1, "HTTP 422")
        assert regen("deliver", "--to", receiver.url).code == 0
        receiver.otherwise = answers(200)
        assert regen("deliver", "--retry-parked").out == "1 parked delivery released; it waits to be delivered\n"
        assert regen("deliver", "--retry-parked", "--json").json == {"success": True, "released": 0}
        assert regen("deliver", "--to", receiver.url).code == 0
        assert sorted(receiver.ids) == sorted(sent)

    def test_parked_ones_are_released_and_delivered_at_once(
        self, regen: Regen, sent: list[str], receiver: Receiver
    ) -> None:
        """One command."""
        receiver.otherwise = answers(422)
        assert regen("deliver", "--to", receiver.url, "--json").json["parked"] == 5
        receiver.otherwise = answers(200)
        assert regen("deliver", "--to", receiver.url, "--retry-parked", "--json").json["delivered"] == 5
        assert sorted(receiver.ids) == sorted(sent)

    def test_an_address_that_takes_nothing_parks_no_outbox(self, regen: Regen, receiver: Receiver) -> None:
        """Exit status 3, what isn't parked waits, and nothing is lost when the address has been mended."""
        with SqlStore.open(regen.url) as store:
            sent = fill(store, 130)
        receiver.otherwise = answers(400)
        said = regen("deliver", "--to", receiver.url)
        assert (said.code, "10 parked, 120 waiting" in said.out) == (3, True)
        assert "10 deliveries in a row were parked and none was taken, which looks like a wrong address" in said.err
        receiver.otherwise = answers(200)
        assert regen("deliver", "--to", receiver.url, "--retry-parked", "--json").json["delivered"] == 130
        assert sorted(receiver.ids) == sorted(sent)

    def test_so_often_and_no_more(self, regen: Regen, sent: list[str], receiver: Receiver) -> None:
        """``--max-attempts``."""
        receiver.otherwise = answers(500)
        said = regen("deliver", "--to", receiver.url, "--max-attempts", "2", "--json")
        assert (said.code, said.json["parked"], len(receiver.requests)) == (1, 5, 6)
        assert all("attempt 2 of 2" in each["reason"] for each in said.json["parked_deliveries"])

    def test_so_many_to_a_request(self, regen: Regen, sent: list[str], receiver: Receiver) -> None:
        """``--batch``."""
        regen("deliver", "--to", receiver.url, "--batch", "2")
        assert [len(request.ids) for request in receiver.requests] == [2, 2, 1]

    def test_once_ends_where_nobody_listens(self, regen: Regen, sent: list[str]) -> None:
        """Exit status 3: the environment failed, and everything waits."""
        with Receiver() as gone:
            url = gone.url
        said = regen("deliver", "--to", url, "--once", "--json")
        assert (said.code, said.json["success"], said.json["waiting"]) == (3, False, 5)
        assert "the connection was refused" in said.err

    def test_a_client_that_is_not_installed(
        self, regen: Regen, sent: list[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """What to install is said."""
        monkeypatch.setitem(sys.modules, "httpcore", None)
        for name in ("http_sink", "bounded_network"):
            monkeypatch.delitem(sys.modules, f"regen_core.adapters.revenue.{name}", raising=False)
        said = regen("deliver", "--to", "http://127.0.0.1:1/")
        assert said.code == 3
        assert "pip install" in said.err


class TestAWrongAddress:
    """A place that is there and takes nothing: the path is mistyped, or the token is missing."""

    @pytest.mark.parametrize("status", [404, 401])
    def test_it_is_given_up_soon_with_all_that_waits(
        self, regen: Regen, sent: list[str], receiver: Receiver, status: int
    ) -> None:
        """After five answers; nothing is parked, and all of it arrives at the right address."""
        receiver.otherwise = answers(status)
        said = regen("deliver", "--to", receiver.url, "--json")
        assert (said.code, said.json["parked"], said.json["waiting"], len(receiver.requests)) == (3, 0, 5, 5)
        assert f"HTTP {status}: " in said.err
        assert "5 answers in a row were like that and nothing was taken, which looks like a wrong address." in said.err
        receiver.otherwise = answers(200)
        assert regen("deliver", "--to", receiver.url).code == 0
        assert sorted(set(receiver.ids)) == sorted(sent)


class TestLag:
    """``regen show deliveries`` ends with how far Revenue is behind."""

    def test_it_counts_and_tells_the_oldest(self, regen: Regen, sent: list[str], receiver: Receiver) -> None:
        """For people and for programs, whatever part of the outbox was asked for."""
        receiver.otherwise = refuses(sent[4])
        assert "5 waiting (the oldest for 0:00:0" in regen("show", "deliveries", "--limit", "1").out
        lag = json.loads(regen("show", "deliveries", "--limit", "0", "--json").out)["lag"]
        assert (lag["waiting"], lag["due"], lag["oldest_age_seconds"] >= 0) == (5, 5, True)
        regen("deliver", "--to", receiver.url)
        lag = regen("show", "deliveries", "--acknowledged", "--json").json["lag"]
        assert lag == {"waiting": 0, "due": 0, "parked": 1, "acknowledged": 4, "oldest_age_seconds": None}
        assert "0 waiting, 0 of them due, 1 parked, 4 acknowledged" in regen("show", "deliveries").out

    def test_what_failed_is_told_from_what_is_new(self, regen: Regen, sent: list[str], receiver: Receiver) -> None:
        """With the number of failures."""
        receiver.plan(answers(503))
        regen("deliver", "--to", receiver.url, "--once", "--batch", "1")
        rows = [row for row in regen("show", "deliveries", "--pending").out.splitlines()[1:] if "\t" in row]
        assert [row.rpartition("\t")[2] for row in rows] == ["waiting, failed 1×"] + ["waiting"] * 4


class TestSecrets:
    """They are sent, and shown nowhere."""

    @pytest.mark.parametrize("status", [200, 401, 422])
    def test_neither_a_token_nor_a_password_is_printed(
        self, regen: Regen, sent: list[str], receiver: Receiver, status: int
    ) -> None:
        """Whatever the receiver answers, its body included. The control: the receiver got it."""
        receiver.otherwise = answers(status, body=CANARY.encode())
        with_password = receiver.url.replace("//", f"//ann:{CANARY}@") + f"?key={CANARY}"
        for output in ((), ("--json",)):
            for url, environment in ((with_password, {}), (receiver.url, {"REGEN_DELIVER_TOKEN": CANARY})):
                said = regen("deliver", "--to", url, "--max-attempts", "1", "--retry-parked", *output, **environment)
                assert CANARY not in said.out + said.err
                shown = regen("show", "deliveries", "--json")
                assert CANARY not in shown.out + shown.err
        assert receiver.requests[-1].headers["authorization"]
        if status != 200:
            assert receiver.requests[-1].headers["authorization"] == f"Bearer {CANARY}"

    @pytest.mark.parametrize(
        "url",
        [f"http://ann:{CANARY}@revenue.example/", f"https://ann:{CANARY}@host:99999/", f"ftp://ann:{CANARY}@host/",
         f"https://ann:{CANARY}@host/ü", f"https://host/#{CANARY}"],
    )  # fmt: skip
    def test_nor_is_an_address_that_is_refused(self, regen: Regen, sent: list[str], url: str) -> None:
        """Exit status 2."""
        for output in ((), ("--json",)):
            said = regen("deliver", "--to", url, *output)
            assert said.code == 2
            assert CANARY not in said.out + said.err


@POSIX
class TestProcesses:
    """Several relays on one file, and one that is told to stop."""

    def test_two_relays_deliver_everything_once(self, regen: Regen, receiver: Receiver) -> None:
        """Each delivery goes to one of them; what the receiver holds is what the core's ledger has (REV-4)."""
        with SqlStore.open(regen.url) as store:
            sent = fill(store, 120)
            entries = store.deliveries(ALL, limit=1000).rows
        relays = [regen.started("deliver", "--to", receiver.url, "--batch", "3", "--json") for _ in range(2)]
        said = [ended(each) for each in relays]
        assert [each.code for each in said] == [0, 0], said
        assert sum(each.json["delivered"] for each in said) == len(sent)
        assert sorted(receiver.ids) == sorted(sent)
        assert receiver.ledger == collect_all(RevenueLedger(), tuple([entry.delivery for entry in entries]))

    @pytest.mark.parametrize(("mode", "code"), [("--follow", 0), ("--max-attempts=8", 3)])
    def test_ctrl_c_stops_after_the_request_in_flight(
        self, regen: Regen, sent: list[str], receiver: Receiver, mode: str, code: int
    ) -> None:
        """Its answer is waited for and noted; the rest is given back, and a relay that was to finish says it didn't."""
        arrived, go_on = threading.Event(), threading.Event()
        taking = answers(200)

        def slowly(of: Receiver, handler: Any, request: Any) -> None:
            arrived.set()
            go_on.wait(60)
            taking.answer(of, handler, request)

        receiver.plan(Behaviour(slowly, takes=True))
        process = regen.started("deliver", "--to", receiver.url, "--batch=1", mode, "--json")
        assert arrived.wait(60)
        process.send_signal(signal.SIGINT)
        with pytest.raises(subprocess.TimeoutExpired):
            process.wait(0.2)
        go_on.set()
        said = ended(process)
        assert (said.code, said.json["delivered"], said.json["waiting"]) == (code, 1, 4), said
        assert receiver.ids == sent[:1]
        with SqlStore.open(regen.url) as store:
            assert (store.backlog(ALL).due, store.acknowledged_count(ALL)) == (4, 1)

    def test_following_it_delivers_what_comes(self, regen: Regen, sent: list[str], receiver: Receiver) -> None:
        """Until it is told to stop."""
        process = regen.started("deliver", "--to", receiver.url, "--follow")
        with SqlStore.open(regen.url) as store:
            _until(lambda: store.acknowledged_count(ALL) == 5)
            more = fill(store, 2, start=6)
            _until(lambda: store.acknowledged_count(ALL) == 7)
        process.terminate()
        said = ended(process)
        assert (said.code, said.err) == (0, "")
        assert receiver.ids == sent + more


def _until(is_so: Callable[[], bool]) -> None:
    pause = threading.Event()
    for _ in range(1200):
        if is_so():
            return
        pause.wait(0.05)
    raise AssertionError("it didn't happen within a minute")
