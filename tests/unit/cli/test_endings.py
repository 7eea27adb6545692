"""How commands end when something is wrong: with a sentence, an exit code, and never a traceback."""

from __future__ import annotations

import errno
import json
import os
import signal
import socket
import sqlite3
import subprocess
import sys
import threading
import time
import tomllib
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from regen_core.adapters.cli.faults import sentence
from regen_core.adapters.revenue.appended_file import AppendedFile
from regen_core.adapters.sql import SqlStore

REFERENCE = ("--type", "Invoice", "--number", "INV-1")
POSIX = pytest.mark.skipif(os.name != "posix", reason="signals and devices of POSIX")

PAUSED_IMPORT = """
import sys

class Paused:
    def find_spec(self, name, path=None, target=None):
        if name == {module!r}:
            print("importing", flush=True)
            sys.stdin.readline()

sys.meta_path.insert(0, Paused())
from {entry} import main
main()
"""
"""The command line, which waits for a line on standard input where it begins to import a module."""


class TestWrongUsage:
    """Exit code 2, with what was wrong and what is known."""

    @pytest.mark.parametrize(
        ("args", "told"),
        [
            (("frobnicate",), "No such command 'frobnicate'. Commands are load, plan,"),
            (("laod",), "No such command 'laod'. Did you mean 'load'?"),
            (("Plan", *REFERENCE), "Did you mean 'plan'?"),
            (("show",), "Missing argument 'WHAT'"),
            (("explain", "--type", "Invoice", "--amount", "1E+999999"), "more than 18 digits before the point"),
            (("load",), "Missing argument 'FILE...'"),
            (("load", "-", "-"), "can be read once"),
            (("load", "-", "--org", "a", "--org", "b"), "give --org once"),
            (
                ("plan", "--number", "INV-1"),
                "Missing option '--type'. Choose from: Invoice, CreditMemo, DebitMemo, InvoiceItemAdjustment.\n",
            ),
            (("plan", "--type", "invoice", "--number", "x"), "is not one of 'Invoice'"),
            (("plan", "--type", "Invoice"), "Give --id or --number"),
            (("plan", "--type", "Invoice", "--id", " "), "--id is blank"),
            (("plan", "--type", "Invoice", "--id", "x" * 256), "--id has 256 characters"),
            (("plan", *REFERENCE, "--tenant", ""), "is blank"),
            (("plan", *REFERENCE, "--reMigrate"), "No such option '--reMigrate'"),
            (("run", *REFERENCE, "--idempotency-key", "a b"), "not visible ASCII"),
            (("show", "everything"), "is not one of 'documents'"),
            (("show", "documents", "--flat"), "--flat goes with 'regen show transactions'"),
            (("show", "revenue", "--pending"), "goes with 'regen show deliveries'"),
            (("show", "deliveries", "--pending", "--parked"), "--pending and --parked exclude each other"),
            (("show", "deliveries", "--limit", "1", "--limit", "2"), "--limit is given more than once"),
            (("run", *REFERENCE, "--number", "INV-2"), "--number is given more than once: give it once."),
            (("--tenant", "a", "--tenant", "b", "show", "documents"), "--tenant is given more than once"),
            (
                ("explain", "--type", "Invoice", "--booking-excluded", "--no-booking-excluded"),
                "--booking-excluded/--no-booking-excluded is given more than once",
            ),
            (("show", "documents", "--id", "\udcff"), "--id holds the lone surrogate U+DCFF"),
            (("show", "revenue", "--number", " "), "--number is blank"),
            (("show", "runs", "--id", "x" * 256), "--id has 256 characters"),
            (("show", "documents", "--limit", "x"), "'--limit': 'x' is not a valid whole number."),
            (("serve", "--host", ""), "'--host': is empty. Name an address, or leave it out."),
            (("show", "documents", "--db", ""), "is empty. Name a database, or leave it out."),
            (("help",), "Did you mean '--help'?"),
            (("table", "wirtes"), "is not one of 'modes'"),
            (("table", "--format", "svg", "--json"), "contradict each other"),
            (("explain",), "Give rule ids such as TBL-W9"),
            (("explain", "tbl-w9"), "Unknown rule: tbl-w9"),
            (("explain", "TBL-W9", "--type", "Invoice"), "not both"),
            (("explain", "--type", "Invoice", "--gone"), "There is no such case: the item is gone"),
            (("explain", "--type", "Invoice", "--sent"), "nothing can have been sent"),
            (("explain", "--type", "Invoice", "--amount", "ten"), "'ten' is not a number"),
            (("explain", "--type", "Invoice", "--amount", "NaN"), "not a finite number"),
            (("explain", "--type", "Invoice", "--adjustment-kind", "Credit"), "There is no such case"),
            (("deliver",), "Missing option '--to'"),
            (("deliver", "--to", "file:"), "--to ledger, --to file:PATH or --to https://"),
            (("deliver", "--to", "ftp://example.org"), "--to ledger, --to file:PATH or --to https://"),
            (("deliver", "--to", "ledger", "--once", "--follow"), "give one of them"),
        ],
    )
    def test_wrong_usage_ends_with_2_and_is_explained(self, regen: Any, args: tuple[str, ...], told: str) -> None:
        """On standard error, and for a program as JSON."""
        said = regen(*args)
        assert said.code == 2
        assert told in said.err
        assert "Try 'regen" in said.err
        as_json = regen(*args, "--json")
        assert as_json.code == 2
        assert as_json.json["exit_code"] == 2

    def test_what_agrees_may_be_repeated(self, loaded: Any) -> None:
        """Flags, organisations, and an option before the command that another one after it outvotes."""
        assert loaded("--json", "show", "documents", "--json", "--json").json["documents"]
        assert loaded("show", "deliveries", "--pending", "--pending").code == 0
        assert loaded("show", "documents", "--org", "a", "--org", "b").code == 0
        assert loaded("--tenant", "other", "show", "documents", "--tenant", "default").rows

    @pytest.mark.parametrize(
        ("source", "told"),
        [
            ("raise RuntimeError('boom')", "can't be imported: RuntimeError: boom (own_store.py:1). Check"),
            ("import sys\nsys.exit(9)", "can't be imported: SystemExit: 9 (own_store.py:2)"),
            ("def build(:", "can't be imported: SyntaxError: invalid syntax (own_store.py, line 1)"),
            ("import no_such_module", "No module named 'no_such_module' (own_store.py:1)"),
            ("", "module 'own_store' has no attribute 'build'. Check the names"),
            ("build = 7", "is of type int. It must be callable"),
            ("def build():\n    return None", "makes a value of type NoneType, which is no store"),
            ("def build():\n    raise KeyError", "raised KeyError (own_store.py:2). It is called without"),
            ("def build():\n    exit(5)", "raised SystemExit: 5"),
            ("def build(url):\n    return url", "missing 1 required positional argument: 'url'. It is called"),
        ],
    )
    def test_a_store_of_somebodys_own_that_can_not_be_made(
        self, regen: Any, monkeypatch: Any, source: str, told: str
    ) -> None:
        """With the line of theirs that raised, and no traceback of ours."""
        (regen.directory / "own_store.py").write_text(source, encoding="utf-8")
        monkeypatch.syspath_prepend(regen.directory)
        said = regen("conformance", "--store", "own_store:build")
        sys.modules.pop("own_store", None)
        assert (said.code, said.out) == (2, "")
        assert told in said.err

    @pytest.mark.parametrize(
        ("url", "told"),
        [
            ("", "'' is no address. Write http://host:port or https://host."),
            ("127.0.0.1:8080", "is no address"),
            ("ftp://127.0.0.1", "is no address"),
            ("http://", "is no address"),
            ("http://127.0.0.1:99999", "is no address"),
            ("http://127.0.0.1:0", "is no address"),
            ("http://[::1", "is no address"),
            ("http://127.0.0.1/a b", "is no address"),
            ("http://u:password@127.0.0.1:1", "The address names a user. Leave that out"),
        ],
    )
    def test_a_service_whose_address_is_none(self, regen: Any, monkeypatch: Any, url: str, told: str) -> None:
        """Before anything is asked; a password isn't repeated."""
        monkeypatch.setenv("REGEN_CLIENT_SECRET", "secret")
        said = regen("conformance", "--url", url, "--client-id", "c")
        assert (said.code, said.out) == (2, "")
        assert told in said.err
        assert "password" not in said.err

    def test_nothing_is_made_by_wrong_usage(self, regen: Any) -> None:
        """No empty database in the wrong directory."""
        regen("plan", "--type", "Invoice")
        regen("plan", *REFERENCE)
        assert list(regen.directory.iterdir()) == []


class TestTheEnvironmentFails:
    """Exit code 3, a sentence on standard error, and for a program as JSON."""

    def complained(self, said: Any, told: str) -> None:
        assert said.code == 3
        assert said.err.startswith("regen: ")
        assert told in said.err
        assert "Traceback" not in said.err

    def test_a_file_that_is_missing_or_no_file(self, regen: Any, invoice: Any, tmp_path: Path) -> None:
        """Before anything of the others is loaded."""
        good = regen.write("good.ndjson", invoice())
        self.complained(regen("load", good, str(tmp_path / "nope.json")), "nope.json' does not exist")
        self.complained(regen("load", good, str(tmp_path)), "is a directory")
        assert not (tmp_path / "regen.db").exists()

    def test_it_is_told_as_json_where_that_was_asked_for(self, regen: Any) -> None:
        """One object, with the exit code."""
        said = regen("--json", "load", "nope.json")
        assert said.json["exit_code"] == 3
        assert "nope.json" in said.json["error"]

    @pytest.mark.parametrize("command", [("plan", *REFERENCE), ("run", *REFERENCE), ("show", "documents")])
    def test_a_database_that_was_never_made(self, regen: Any, command: tuple[str, ...]) -> None:
        """It says how a database comes about."""
        self.complained(regen(*command), "does not exist. Load documents into it")

    @POSIX
    @pytest.mark.parametrize("args", [("show", "documents"), ("load", "good.ndjson"), ("plan", *REFERENCE)])
    def test_links_that_lead_in_a_circle(self, regen: Any, invoice: Any, tmp_path: Path, args: tuple[str, ...]) -> None:
        """It isn't said that there is no database, for there is something in its place."""
        regen.write("good.ndjson", invoice())
        for one, other in (("a.db", "b.db"), ("b.db", "a.db")):
            (tmp_path / one).symlink_to(other)
        told = [str(tmp_path / each) if each == "good.ndjson" else each for each in args]
        for name in ("a.db", "a.db/regen.db"):
            said = regen(*told, "--db", f"sqlite:///{tmp_path / name}")
            self.complained(said, f"'{tmp_path / name}' can't be reached: its symbolic links go in circles.")
            assert said.out == ""
        self.complained(regen("load", str(tmp_path / "a.db")), "its symbolic links go in circles.")

    @POSIX
    def test_a_link_to_where_nothing_is_yet(self, loaded: Any, tmp_path: Path) -> None:
        """A question finds no database there; a load makes it."""
        (tmp_path / "link.db").symlink_to("target.db")
        url = f"sqlite:///{tmp_path / 'link.db'}"
        self.complained(loaded("show", "documents", "--db", url), "does not exist. Load documents into it")
        assert loaded("load", str(tmp_path / "first.ndjson"), "--db", url).code == 0
        assert (tmp_path / "target.db").is_file()
        (tmp_path / "link.db").unlink()
        (tmp_path / "link.db").symlink_to("no/directory/target.db")
        said = loaded("load", str(tmp_path / "first.ndjson"), "--db", url)
        self.complained(said, "no file can be made or opened there")

    @pytest.mark.parametrize("args", [("show", "documents"), ("load", "-")])
    @pytest.mark.parametrize("url", ["sqlite:///{tmp}/\x1b[2J\u202e/a.db", "\x1b[2J\u202e.db"])
    def test_a_name_that_would_steer_a_terminal(
        self, regen: Any, tmp_path: Path, url: str, args: tuple[str, ...]
    ) -> None:
        """It is told, and steers nothing."""
        said = regen(*args, "--db", url.format(tmp=tmp_path))
        self.complained(said, "database")
        assert not {"\x1b", "\u202e"} & set(said.err + said.out)

    @pytest.mark.parametrize(
        ("url", "told"),
        [
            ("regen.db", "'regen.db' is not a database URL. If you mean the SQLite file, write sqlite:///regen.db."),
            ("{tmp}/a.db", "write sqlite:///{tmp}/a.db."),
            ("sqlite:a.db", "write sqlite:///a.db."),
            ("sqlite://a.db", "write sqlite:///a.db."),
            ("user:secret@host", "is not a database URL"),
            ("mysql://u:secret@h/d", "mysql"),
            (
                "sqlite:///:memory:",
                "The database sqlite:///:memory: can't be opened: a database in memory keeps nothing.",
            ),
            (
                "sqlite:///{tmp}/no/such/dir ü:1/a.db",
                "The database sqlite:///{tmp}/no/such/dir ü:1/a.db failed (its dir",
            ),
            ("sqlite:///{tmp}/text", "not an SQLite database"),
            ("sqlite:///{tmp}", "{tmp}"),
            ("sqlite:////dev/null", "it names a device or a pipe, and a file is needed"),
            ("sqlite:///{tmp}/a.db?timeout=5", "after its ? are only cache, immutable, mode, psow, vfs"),
            ("sqlite:///{tmp}/a.db?mode=rwc", "with uri=true and file:"),
            ("sqlite:///file:{tmp}/a.db?nolock=1&uri=true", "after its ? are only cache"),
            ("sqlite:///{tmp}/" + "x" * 300, "has a name that is too long."),
            (
                "postgresql://u@127.0.0.1:1/x?password=secret&sslpassword=secret",
                "/x?password=***&sslpassword=*** can't be",
            ),
            ("mysql://u:secret@h/d?password=secret", "mysql"),
            ("postgres://u:secret@127.0.0.1:1/x", "postgresql://u:***@127.0.0.1:1/x can't be reached"),
        ],
    )
    def test_a_database_that_can_not_be_used(
        self, regen: Any, invoice: Any, tmp_path: Path, url: str, told: str
    ) -> None:
        """With its URL, without its password."""
        (tmp_path / "text").write_text("not a database, but long enough to look at" * 20, encoding="utf-8")
        said = regen("load", regen.write("a.ndjson", invoice()), "--db", url.format(tmp=tmp_path))
        self.complained(said, told.format(tmp=tmp_path))
        assert "secret" not in said.err

    def test_a_database_that_is_locked(self, loaded: Any, monkeypatch: Any) -> None:
        """It waits, then says that somebody else works on it."""
        monkeypatch.setattr(SqlStore, "open", partial(SqlStore.open, busy_timeout=0.1))
        other = sqlite3.connect(loaded.directory / "regen.db", isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        try:
            self.complained(loaded("run", *REFERENCE), "locked by another process")
        finally:
            other.close()

    def test_a_report_that_can_not_be_read(self, regen: Any, tmp_path: Path) -> None:
        """As other files that commands read; one that is no report is wrong usage."""
        self.complained(regen("replay", str(tmp_path / "nope.json")), "nope.json' does not exist")
        self.complained(regen("replay", str(tmp_path)), "is a directory")
        table = tmp_path / "a.csv"
        table.write_text("id,number\n", encoding="utf-8")
        said = regen("replay", str(table))
        assert (said.code, "Name what 'regen conformance --report' wrote." in said.err) == (2, True)

    @pytest.mark.parametrize("option", ["--skips", "--xfails"])
    def test_a_list_of_checks_that_can_not_be_read(self, regen: Any, tmp_path: Path, option: str) -> None:
        """As other files that commands read."""
        store = ("conformance", "--store", "regen_core.adapters.memory:MemoryStore")
        self.complained(regen(*store, option, str(tmp_path / "nope.txt")), "nope.txt' does not exist")
        self.complained(regen(*store, option, str(tmp_path)), "is a directory")

    @pytest.mark.parametrize("option", ["--report", "--html"])
    def test_a_report_that_can_not_be_written(self, regen: Any, tmp_path: Path, monkeypatch: Any, option: str) -> None:
        """It is told before anything is checked, which may take long."""
        monkeypatch.setattr("regen_core.testing.conformance.conform", None)
        store = ("conformance", "--store", "regen_core.adapters.memory:MemoryStore")
        self.complained(regen(*store, option, str(tmp_path)), "is a directory")
        self.complained(regen(*store, option, str(tmp_path / "no" / "report")), "no/report' does not exist, or its")

    def test_a_destination_that_can_not_be_written(self, loaded: Any, tmp_path: Path) -> None:
        """Nothing is acknowledged."""
        loaded("run", *REFERENCE)
        self.complained(loaded("deliver", "--to", f"file:{tmp_path}"), "is a directory")
        self.complained(loaded("deliver", "--to", f"file:{tmp_path}/no/out"), "no/out")
        assert len(loaded("show", "deliveries", "--pending").rows) == 2

    @POSIX
    def test_a_full_disk_under_a_file_of_deliveries(self, loaded: Any, tmp_path: Path) -> None:
        """What was not written is not acknowledged."""
        if not Path("/dev/full").exists():
            pytest.skip("no device that is always full")
        loaded("run", *REFERENCE)
        self.complained(loaded("deliver", "--to", "file:/dev/full"), "'/dev/full' can't be written: the disk is full")
        assert len(loaded("show", "deliveries", "--pending").rows) == 2

    @POSIX
    @pytest.mark.parametrize("args", [("table", "rules"), ("table", "rules", "--json"), ("--help",), ("--version",)])
    def test_a_full_disk_under_the_output(self, regen: Any, args: tuple[str, ...]) -> None:
        """A redirected table that is cut off is a failure, not a success."""
        if not Path("/dev/full").exists():
            pytest.skip("no device that is always full")
        with open("/dev/full", "wb") as full:
            done = subprocess.run(
                [*regen.start, *args],
                stdout=full,
                stderr=subprocess.PIPE,
                env=regen.environment,
                check=False,
            )
        assert (done.returncode, done.stderr) == (
            3,
            b"regen: The output can't be written: the disk is full. Make room and repeat.\n",
        )

    @POSIX
    @pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"])
    @pytest.mark.parametrize(
        ("args", "codes"),
        [(("show", "documents"), {0}), (("load", "-"), {1}), (("show", "nothing"), {2}), (("--help",), {0})],
        ids=["show", "load", "wrong", "help"],
    )
    def test_a_standard_stream_that_is_closed(
        self, loaded: Any, args: tuple[str, ...], codes: set[int], closed: str
    ) -> None:
        """As some schedulers start programs: what would be told there is told to nobody, and all else is done."""
        command = ["sh", "-c", f'exec "$@" {closed}', "sh", *loaded.start, *args]
        done = subprocess.run(
            command, stdin=subprocess.DEVNULL, capture_output=True, env=loaded.environment, check=False
        )
        assert done.returncode in codes
        assert b"Traceback" not in done.stderr
        assert len(loaded("show", "documents").rows) == 1

    @pytest.mark.parametrize("host", ["no-such-host.invalid", "127.0.0.1:80"])
    def test_an_address_to_listen_on_that_is_none(self, regen: Any, host: str) -> None:
        """Not in the words of the operating system."""
        said = regen("serve", "--host", host, "--port", "0")
        self.complained(said, f"Can't listen on {host} port 0: that is no address, and no name of one. Give --host an")
        assert "attempting" not in said.err

    @pytest.mark.parametrize(
        ("answer", "told"),
        [
            (
                b"HTTP/1.0 200 OK\r\n\r\n<html>Hello</html>",
                "gave no token: its answer to POST /oauth/token has none. Check",
            ),
            (b"HTTP/1.0 200 OK\r\n\r\n[]", "gave no token: its answer"),
            (b"HTTP/1.0 404 Not Found\r\n\r\n", "gave no token but 404. Check the address, and the client's"),
            (b"SSH-2.0-OpenSSH_9\r\n", "can't be reached: what answers there doesn't speak HTTP. Check"),
            (b"", "can't be reached: it closed the connection without an answer. Check"),
        ],
        ids=["page", "list", "404", "ssh", "silence"],
    )
    def test_something_else_that_listens_at_a_services_address(
        self, regen: Any, monkeypatch: Any, answer: bytes, told: str
    ) -> None:
        """Or nothing at all, once it has gone."""
        monkeypatch.setenv("REGEN_CLIENT_SECRET", "secret")
        with socket.create_server(("127.0.0.1", 0)) as server:
            asked = ("conformance", "--client-id", "c", "--url", f"http://127.0.0.1:{server.getsockname()[1]}")
            answering = threading.Thread(target=_answer_once, args=(server, answer))
            answering.start()
            self.complained(regen(*asked), told)
            answering.join()
        self.complained(regen(*asked), "can't be reached: Connection refused. Check the address, and that it runs.")

    @POSIX
    def test_a_directory_that_was_removed(self, regen: Any, invoice: Any) -> None:
        """Under the command's feet."""
        path, gone = regen.write("a.ndjson", invoice()), regen.directory / "gone"
        gone.mkdir()
        command = ["sh", "-c", 'cd "$0" && rmdir "$0" && exec "$@"', str(gone), *regen.start, "load", path]
        told = {**regen.environment, "REGEN_DB": "sqlite:///regen.db"}
        done = subprocess.run(command, capture_output=True, env=told, check=False)
        assert (done.returncode, b"Traceback" in done.stderr) == (3, False)
        assert b"The working directory isn't there any more. Change into one that is." in done.stderr

    @POSIX
    def test_a_reader_that_goes_away(self, regen: Any) -> None:
        """As with head: it ends at once and without a word, for nobody reads any more."""
        command = f"{sys.executable} -c {json.dumps(regen.start[2])} table all --format html; echo $? >&2"
        done = subprocess.run(
            ["sh", "-c", f"({command}) | head -n 1"], capture_output=True, text=True, env=regen.environment, check=False
        )
        assert done.stdout == "<!DOCTYPE html>\n"
        assert done.stderr == "3\n"

    @POSIX
    @pytest.mark.parametrize("more", [(), ("--json",)])
    def test_an_interrupt(self, regen: Any, invoice: Any, more: tuple[str, ...]) -> None:
        """Ctrl-C is a sentence; JSON that was begun is ended."""
        with subprocess.Popen(
            [*regen.start, "load", "-q", "-", *more],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=regen.environment,
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),  # noqa: PLW1509  # no threads here
        ) as child:
            assert child.stdin is not None
            child.stdin.write(b"".join(json.dumps(invoice(str(at))).encode() + b"\n" for at in range(3000)))
            child.stdin.flush()
            deadline = time.monotonic() + 30
            while not (regen.directory / "regen.db").exists() and time.monotonic() < deadline:
                time.sleep(0.05)
            child.send_signal(signal.SIGINT)
            code = child.wait(30)
            assert child.stdout is not None
            assert child.stderr is not None
            out, err = child.stdout.read(), child.stderr.read()
        assert code == 3
        assert err.decode().startswith("regen: Interrupted.")
        assert b"Traceback" not in err
        if more:
            assert json.loads(out)["exit_code"] == 3

    @POSIX
    @pytest.mark.parametrize(
        ("module", "entry", "told"),
        [
            ("regen_core.documents", "regen_command", b"regen: Interrupted. Nothing was begun.\n"),
            ("regen_core.adapters.cli.showing", "regen_command", b"regen: Interrupted. What was finished before is"),
            ("regen_core.documents", "regen_core.adapters.cli.main", b"Traceback"),  # control: not the script's module
        ],
    )
    def test_an_interrupt_while_it_is_imported(self, regen: Any, module: str, entry: str, told: bytes) -> None:
        """The package, by the script's own hand, or the command's module, by the command line's."""
        program = PAUSED_IMPORT.format(module=module, entry=entry)
        pipe = subprocess.PIPE
        with subprocess.Popen(
            [sys.executable, "-c", program, "show", "documents"],
            stdin=pipe,
            stdout=pipe,
            stderr=pipe,
            env=regen.environment,
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),  # noqa: PLW1509  # no threads here
        ) as child:
            assert child.stdout is not None
            assert child.stdout.readline() == b"importing\n"
            child.send_signal(signal.SIGINT)
            _, err = child.communicate(b"\n", timeout=60)
        assert err.startswith(told)
        assert (child.returncode == 3) is (b"Traceback" not in err)

    def test_the_script_is_the_module_that_is_ready_for_that(self) -> None:
        """Whatever else starts the command line."""
        project = tomllib.loads((Path(__file__).parents[3] / "pyproject.toml").read_text(encoding="utf-8"))
        assert project["project"]["scripts"] == {"regen": "regen_command:main"}

    def test_a_sentence_for_any_error_of_the_system(self) -> None:
        """A known number has advice of its own, an unknown one the system's words."""
        assert sentence(OSError(errno.ENOSPC, "x", "out.ndjson")).startswith("'out.ndjson' can't be written: the disk")
        assert "Text file busy" in sentence(OSError(errno.ETXTBSY, "Text file busy", "a"))
        assert "\\x1b" in sentence(FileNotFoundError(errno.ENOENT, "x", "a\x1bb"))


class TestAppendedFile:
    """Lines are whole and durable; what a crash left is mended."""

    def test_a_torn_line_of_ours_is_removed(self, tmp_path: Path) -> None:
        """It was never acknowledged, so it comes again."""
        path = tmp_path / "out"
        path.write_bytes(b'{"id":"a-1"}\n{"id":"a-2","tran')
        with AppendedFile(str(path)) as file:
            file.append([b'{"id":"a-2"}\n'])
        assert path.read_bytes() == b'{"id":"a-1"}\n{"id":"a-2"}\n'

    @pytest.mark.parametrize("last", [b'{"id":"a-1"}', b"somebody else's note"])
    def test_a_whole_or_foreign_line_without_its_end_is_kept(self, tmp_path: Path, last: bytes) -> None:
        """Only what is surely ours and torn is taken away."""
        path = tmp_path / "out"
        path.write_bytes(last)
        with AppendedFile(str(path)) as file:
            file.append([b'{"id":"a-2"}\n'])
        assert path.read_bytes() == last + b'\n{"id":"a-2"}\n'

    def test_lines_are_on_the_disk_before_append_returns(self, tmp_path: Path, monkeypatch: Any) -> None:
        """Control: the file is synced after the last byte was written, and a failed sync is told."""
        calls: list[str] = []

        def noted(name: str, call: Callable[..., Any]) -> Callable[..., Any]:
            def noting(*args: Any) -> Any:
                calls.append(name)
                return call(*args)

            return noting

        monkeypatch.setattr(os, "write", noted("write", os.write))
        monkeypatch.setattr(os, "fsync", noted("sync", os.fsync))
        with AppendedFile(str(tmp_path / "out")) as file:
            calls.clear()
            file.append([b'{"id":"a-1"}\n'])
        assert calls == ["write", "sync"]

        def fail(_: int) -> None:
            raise OSError(errno.EIO, "Input/output error")

        monkeypatch.setattr(os, "fsync", fail)
        with AppendedFile(str(tmp_path / "out")) as file, pytest.raises(OSError, match="out"):
            file.append([b'{"id":"a-2"}\n'])

    def test_a_short_write_is_continued(self, tmp_path: Path, monkeypatch: Any) -> None:
        """The system may take less than it was given."""
        write = os.write
        monkeypatch.setattr(os, "write", lambda file, data: write(file, bytes(data[:5])))
        with AppendedFile(str(tmp_path / "out")) as file:
            file.append([b'{"id":"a-1"}\n', '{"id":"ü"}\n'.encode()])
        assert (tmp_path / "out").read_text(encoding="utf-8") == '{"id":"a-1"}\n{"id":"ü"}\n'

    def test_deliveries_come_again_when_acknowledging_failed(
        self, loaded: Any, tmp_path: Path, monkeypatch: Any
    ) -> None:
        """REV-0: at least once, under the same ids."""
        loaded("run", *REFERENCE)
        with monkeypatch.context() as patched:
            patched.setattr(SqlStore, "settle", _lost_power)
            assert loaded("deliver", "--to", f"file:{tmp_path / 'out'}").code == 3
        loaded("deliver", "--to", f"file:{tmp_path / 'out'}")
        ids = [json.loads(line)["id"] for line in (tmp_path / "out").read_text(encoding="utf-8").splitlines()]
        assert ids[:2] == ids[2:]


def _answer_once(server: socket.socket, answer: bytes) -> None:
    connection, _ = server.accept()
    with connection:
        heard = b""
        while not heard.endswith(b"client_credentials"):
            heard += connection.recv(65536)
        connection.sendall(answer)


def _lost_power(*_: object) -> None:
    raise OSError(errno.EIO, "Input/output error", "regen.db")
