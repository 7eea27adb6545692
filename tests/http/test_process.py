"""``regen serve`` as a process: start, token, operation, replay, SIGTERM, and how it and ``hash-secret`` fail."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, Final

import httpx
import pytest
from attrs import frozen
from click.testing import CliRunner

from regen_core.adapters.cli.main import cli
from regen_core.adapters.http.clients import SecretHash
from regen_core.idempotency import OPERATION_PATH
from tests.forks.starting import fast
from tests.http.conftest import HASH, SECRET

START: Final = [sys.executable, "-c", "from regen_core.adapters.cli.main import main; main()"]
PATIENCE: Final = 60
INVOICE: Final = {
    "id": "inv1",
    "invoiceNumber": "INV-1",
    "invoiceDate": "2026-01-31",
    "status": "Posted",
    "currency": "EUR",
    "invoiceItems": [{"id": "item1", "chargeAmount": "10.00", "sourceItemType": "SubscriptionComponent"}],
}
POSTED: Final = {"type": "Invoice", "id": "inv1"}


@frozen
class Running:
    """A process of the service, and what it told at its start."""

    process: subprocess.Popen[str]
    told: dict[str, str]

    @contextmanager
    def client(self, client_id: str, secret: str) -> Iterator[httpx.Client]:
        """A client that has logged in."""
        form = {"grant_type": "client_credentials", "client_id": client_id, "client_secret": secret}
        with httpx.Client(base_url=self.told["url"], timeout=PATIENCE) as http:
            token = http.post("/oauth/token", data=form).json()["access_token"]
            http.headers["authorization"] = f"Bearer {token}"
            yield http

    def stopped(self, number: signal.Signals = signal.SIGTERM) -> tuple[int, list[dict[str, Any]]]:
        """Send a signal; the exit code and the log."""
        self.process.send_signal(number)
        _, log = self.process.communicate(timeout=PATIENCE)
        return self.process.returncode, [json.loads(line) for line in log.splitlines()]


def _first_object(stream: IO[str]) -> dict[str, str]:
    text = ""
    for line in stream:
        text += line
        if line == "}\n":
            break
    found: dict[str, str] = json.loads(text)
    return found


@contextmanager
def started(directory: Path, *args: str, start: Sequence[str] | None = None) -> Iterator[Running]:
    """The service on any free port, with what it was given; ``start`` where it isn't to be forked."""
    command = [*(start or fast()), "--json", "serve", "--port", "0", *args]
    environment = {**os.environ, "REGEN_DB": f"sqlite:///{directory / 'regen.db'}", "PYTHONWARNINGS": "error"}
    process = subprocess.Popen(
        command, cwd=directory, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    try:
        assert process.stdout is not None
        yield Running(process, _first_object(process.stdout))
    finally:
        if process.poll() is None:
            process.kill()
        process.communicate()


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    """A directory with a database that holds an invoice."""
    (tmp_path / "invoice.json").write_text(json.dumps(INVOICE))
    regen(tmp_path, "load", str(tmp_path / "invoice.json"))
    return tmp_path


def regen(directory: Path, *args: str, code: int = 0, stdin: str = "") -> str:
    """Any command on the directory's database."""
    environment = {"REGEN_DB": f"sqlite:///{directory / 'regen.db'}"}
    done = CliRunner().invoke(cli, args, env=environment, input=stdin, prog_name="regen")
    assert done.exit_code == code, done.output
    return done.output


def test_a_sandbox_from_start_to_end(directory: Path) -> None:
    """Log in with the printed client, regenerate by id and by number, replay, and stop: nothing is lost."""
    with started(directory, start=START) as service:
        told = service.told
        assert (len(told["client_id"]), len(told["client_secret"])) == (36, 40)
        with service.client(told["client_id"], told["client_secret"]) as http:
            by_id = http.post(OPERATION_PATH, json=POSTED, headers={"idempotency-key": "k"})
            by_number = http.post(f"{OPERATION_PATH}?reMigrate=true", json={"type": "Invoice", "number": "INV-1"})
            again = http.post(OPERATION_PATH, json=POSTED, headers={"idempotency-key": "k"})
            assert http.get("/readyz").status_code == 200
        code, log = service.stopped()
    assert (by_id.status_code, by_number.status_code) == (200, 200)
    assert by_id.json()["idList"] == by_number.json()["idList"]
    assert (again.content, again.headers["idempotent-replayed"]) == (by_id.content, "true")
    assert code == 0
    first, *between, last = [line["event"] for line in log]
    assert (first, last) == ("started", "stopped")
    assert sorted(between) == [*["request"] * 5, "stopping"]  # an answer may arrive before its line is written
    (shown,) = json.loads(regen(directory, "--json", "show", "transactions"))["transactions"]
    assert shown["transaction"]["id"] == by_id.json()["idList"][0]
    assert shown["transaction"]["revision"] == 2


def test_a_configured_service(directory: Path) -> None:
    """Its clients are those of the file, with their tenants; the settings take effect; Ctrl-C stops it, too."""
    clients = [
        f'[[clients]]\nclient_id = "{name}"\nsecret_hash = "{HASH.text}"\ntenant = "{tenant}"\nentities = ["default"]\n'
        for name, tenant in (("c", "default"), ("d", "other"))
    ]
    settings = '[answers]\nbusiness_failures = "200"\n[limits]\nconcurrent_requests = 7\n'
    (directory / "service.toml").write_text(settings + "".join(clients))
    with started(directory, "--config", "service.toml") as service:
        assert service.told.keys() == {"url"}
        with service.client("d", SECRET) as http:
            assert http.post(OPERATION_PATH, json=POSTED).json()["success"] is False
        with service.client("c", SECRET) as http:
            answer = http.post(OPERATION_PATH, json=POSTED)
            failed = http.post(OPERATION_PATH, json={**POSTED, "id": "inv2"})
        code, _ = service.stopped(signal.SIGINT)
    assert (answer.status_code, answer.headers["concurrency-limit-limit"]) == (200, "7")
    assert (failed.status_code, failed.json()["success"]) == (200, False)
    assert code == 0


class TestStopping:
    """SIGTERM: nobody is cut off, and whoever sends requests here learns to go elsewhere."""

    CLIENT = f'[[clients]]\nclient_id = "c"\nsecret_hash = "{HASH.text}"\ntenant = "default"\nentities = ["default"]\n'

    def test_a_request_in_flight_finishes(self, directory: Path) -> None:
        """Its second half is sent after the signal; it is executed, answered, and its connection is closed."""
        with started(directory) as service:
            with service.client(service.told["client_id"], service.told["client_secret"]) as http:
                bearer = http.headers["authorization"]
            port, body = int(service.told["url"].rpartition(":")[2]), json.dumps(POSTED).encode()
            head = (
                f"POST {OPERATION_PATH} HTTP/1.1\r\nHost: x\r\nAuthorization: {bearer}\r\n"
                f"Content-Length: {len(body)}\r\nExpect: 100-continue\r\n\r\n"
            )
            with socket.create_connection(("127.0.0.1", port), timeout=PATIENCE) as wire:
                wire.sendall(head.encode())
                assert wire.recv(1000).startswith(b"HTTP/1.1 100 ")
                service.process.send_signal(signal.SIGTERM)
                assert _is_closed(port)
                wire.sendall(body)
                answer = b"".join(iter(lambda: wire.recv(65_536), b""))
            _, log = service.process.communicate(timeout=PATIENCE)
        assert answer.startswith(b"HTTP/1.1 200 ")
        assert b"connection: close" in answer.lower()
        assert service.process.returncode == 0
        first, *between, last = [json.loads(line)["event"] for line in log.splitlines()]
        assert (first, last) == ("started", "stopped")
        assert sorted(between) == ["request", "request", "stopping"]
        assert between[-1] == "request", "it finished after the signal"
        assert len(json.loads(regen(directory, "--json", "show", "transactions"))["transactions"]) == 1

    def test_while_it_drains_it_is_not_ready_but_answers(self, directory: Path) -> None:
        """For as long as the configuration says."""
        (directory / "service.toml").write_text(f"[limits]\ndrain_seconds = 2\n{self.CLIENT}")
        with started(directory, "--config", "service.toml") as service:
            with service.client("c", SECRET) as http:
                service.process.send_signal(signal.SIGTERM)
                while (ready := http.get("/readyz")).status_code == 200:
                    pass
                answer = http.post(OPERATION_PATH, json=POSTED)
            assert service.process.wait(PATIENCE) == 0
        assert (ready.status_code, ready.json()["because"]) == (503, "stopping")
        assert answer.status_code == 200

    def test_a_second_signal_does_not_wait(self, directory: Path) -> None:
        """For a connection on which somebody dawdles."""
        (directory / "service.toml").write_text(f"[limits]\nbody_seconds = 600\nstop_seconds = 600\n{self.CLIENT}")
        with started(directory, "--config", "service.toml") as service:
            port = int(service.told["url"].rpartition(":")[2])
            with socket.create_connection(("127.0.0.1", port), timeout=PATIENCE) as wire:
                wire.sendall(f"POST {OPERATION_PATH} HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n".encode())
                wire.sendall(b"Expect: 100-continue\r\n\r\n")
                assert wire.recv(1000).startswith(b"HTTP/1.1 100 ")
                service.process.send_signal(signal.SIGTERM)
                assert _is_closed(port)
                assert service.process.poll() is None
                service.process.send_signal(signal.SIGTERM)
                _, said = service.process.communicate(timeout=PATIENCE)
        assert service.process.returncode == 3
        assert said.splitlines()[-1].startswith("regen: Interrupted.")


def _is_closed(port: int) -> bool:
    """Whether nobody listens on a port any more; it is waited for."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=PATIENCE).close()
        except ConnectionRefusedError:
            return True
        time.sleep(0.02)
    return False


class TestFailures:
    """Exit codes 2 and 3, each with a sentence that says what to do."""

    def test_a_port_that_is_taken(self, directory: Path) -> None:
        """3."""
        with socket.create_server(("127.0.0.1", 0)) as other:
            said = regen(directory, "serve", "--port", str(other.getsockname()[1]), code=3)
        assert "another program listens there" in said

    @pytest.mark.parametrize("command", [["serve"], ["hash-secret", "--new"]])
    @pytest.mark.parametrize("package", ["uvicorn", "starlette", "httptools"])
    def test_an_extra_that_is_missing(self, directory: Path, command: list[str], package: str) -> None:
        """3, with what to install; where the package isn't needed, all is well."""
        program = f"import sys; sys.modules[{package!r}] = None; {START[-1]}"
        environment = {**os.environ, "REGEN_DB": f"sqlite:///{directory / 'none' / 'regen.db'}"}
        done = subprocess.run(
            [sys.executable, "-c", program, *command],
            env=environment,
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
        )
        if command == ["serve"]:
            assert (done.returncode, done.stderr.count("\n")) == (3, 1)
            assert "pip install 'regen-core[http]'" in done.stderr
        else:
            assert done.returncode == 0

    def test_an_address_that_is_none(self, directory: Path) -> None:
        """3."""
        assert "no such address" in regen(directory, "serve", "--host", "192.0.2.1", "--port", "0", code=3)

    def test_a_configuration_with_faults(self, directory: Path) -> None:
        """2: all of them, with their places."""
        path = directory / "service.toml"
        path.write_text('[listen]\nport = "x"\n[[clients]]\ntenant = "t"\n')
        said = regen(directory, "serve", "--config", str(path), code=2)
        assert all(place in said for place in ("listen.port:", "clients[1].client_id:", "clients[1].entities:"))

    def test_a_configuration_that_is_not_there(self, directory: Path) -> None:
        """3."""
        assert "does not exist" in regen(directory, "serve", "--config", str(directory / "none.toml"), code=3)

    def test_options_that_a_configuration_makes_needless(self, directory: Path) -> None:
        """2: a tenant that would be ignored."""
        said = regen(directory, "serve", "--config", "service.toml", "--tenant", "acme", "--org", "north", code=2)
        assert "--tenant and --org" in said

    def test_a_database_that_cannot_be_used(self, directory: Path) -> None:
        """3, before anybody is answered."""
        (directory / "regen.db").write_text("not a database, but long enough to be taken for one" * 40)
        assert "is not an SQLite database" in regen(directory, "serve", "--port", "0", code=3)


class TestHashSecret:
    """For the configuration file."""

    def test_the_hash_of_a_secret_from_standard_input(self, tmp_path: Path) -> None:
        """Its line's end doesn't belong to it."""
        told = json.loads(regen(tmp_path, "--json", "hash-secret", stdin=f"{SECRET}\r\n"))
        read = SecretHash.parse(told["secret_hash"])
        assert read is not None
        assert read.matches(SECRET)

    def test_a_new_client(self, tmp_path: Path) -> None:
        """With a secret that fits the official SDK."""
        told = json.loads(regen(tmp_path, "--json", "hash-secret", "--new"))
        read = SecretHash.parse(told["secret_hash"])
        assert read is not None
        assert read.matches(told["client_secret"])
        assert (len(told["client_id"]), len(told["client_secret"]) <= 42) == (36, True)

    def test_no_secret(self, tmp_path: Path) -> None:
        """2."""
        assert "No secret came" in regen(tmp_path, "hash-secret", code=2)
