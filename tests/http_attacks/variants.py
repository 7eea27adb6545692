"""The same service with one thing about it changed: mostly a protection taken out.

A test of a protection says something only if it fails where the protection is missing.
"""

from __future__ import annotations

import gzip
import logging
import sys
import zlib
from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType
from typing import Final

from starlette.types import Receive
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from regen_core.adapters.cli.main import main
from regen_core.adapters.http import (
    envelope,
    exchange,
    limits,
    logs,
    oauth,
    operation,
    protocol,
    running,
    server,
    tokens,
)
from regen_core.adapters.sql import store
from regen_core.wire import submission

__all__ = ["start"]


def start(name: str) -> tuple[str, ...]:
    """What is called for a variant, and its first argument."""
    assert name in _VARIANTS, "it is known"
    return (f"{__name__}:{run.__name__}", name)


def run() -> None:
    """The command line of the variant that its first argument names."""
    _VARIANTS[sys.argv.pop(1)]()
    main()


def _put(value: object, *places: tuple[object, str]) -> None:
    """Put something in place of what is there, wherever it has been imported to."""
    for owner, name in places:
        assert hasattr(owner, name), f"{name} is called otherwise now"
        setattr(owner, name, value)


def _inflates_everything() -> None:
    def inflated(raw: bytes, limit: int) -> bytes | str:
        try:
            return gzip.decompress(raw)
        except (OSError, EOFError, zlib.error):
            return "it is damaged"

    _put(inflated, (submission, "_inflated"))


def _reads_everything() -> None:
    async def read_body(receive: Receive, *, most: int, seconds: float) -> bytes:
        parts, more = [], True
        while more:
            message = await receive()
            parts.append(message.get("body", b""))
            more = message.get("more_body", False)
        return b"".join(parts)

    _put(read_body, (operation, "read_body"), (oauth, "read_body"))


def _parses_as_uvicorn_does() -> None:
    def unbounded_protocol(*given: object) -> type[HttpToolsProtocol]:
        return HttpToolsProtocol

    _put(unbounded_protocol, (server, "bounded_protocol"))


def _counts_no_bytes() -> None:
    def nothing(self: object) -> int:
        return 0

    def forget(self: object, value: int) -> None:
        pass

    _put(property(nothing, forget), (protocol.BoundedProtocol, "_silent_bytes"))


def _never_tires_of_logins() -> None:
    def login_begins(self: object, address: str, now: float) -> None:
        pass

    _put(login_begins, (limits.Limits, "login_begins"))


def _returns_any_track_id() -> None:
    def track_id_of(headers: Iterable[tuple[str, str]]) -> str | None:
        return next((value for name, value in headers if name == "zuora-track-id"), None)

    _put(track_id_of, (exchange, "track_id_of"))


def _forgets_after_a_second() -> None:
    _put(1, (tokens, "LIFETIME"), (oauth, "LIFETIME"))


def _waits_little_for_locks() -> None:
    """Not a protection: another writer is waited for, but not as long as a test would have to wait."""
    store.SqlStore.open.__func__.__kwdefaults__["busy_timeout"] = 0.2  # type: ignore[attr-defined]


def _keys_wait_for_the_store() -> None:
    def unchanged(executor: object) -> object:
        return executor

    _put(unchanged, (running, "KeysInFlight"))


def _logs_what_it_sees() -> None:
    told = logs.entry_of

    def entry_of(seen: exchange.Exchange, duration: float) -> dict[str, object]:
        return {**told(seen, duration), "headers": seen.headers, "asked": repr(seen.admitted)}

    _put(entry_of, (logs, "entry_of"))


def _logs_all_that_libraries_say() -> None:
    logging.basicConfig(level=logging.DEBUG)


def _fails_with_words() -> None:
    """Not a protection: a store whose errors are full of what it was given."""

    def regenerate(self: object, *given: object, **named: object) -> None:
        raise RuntimeError(f"regenerate{given}{named}")

    _put(regenerate, (store.SqlStore, "regenerate"))


def _fails_with_words_and_tells() -> None:
    _fails_with_words()
    _put(repr, (envelope, "_place_of"))


_VARIANTS: Final[Mapping[str, Callable[[], None]]] = MappingProxyType(
    {
        "inflates everything": _inflates_everything,
        "reads everything": _reads_everything,
        "parses as uvicorn does": _parses_as_uvicorn_does,
        "counts no bytes": _counts_no_bytes,
        "never tires of logins": _never_tires_of_logins,
        "returns any track id": _returns_any_track_id,
        "forgets after a second": _forgets_after_a_second,
        "waits little for locks": _waits_little_for_locks,
        "keys wait for the store": _keys_wait_for_the_store,
        "logs what it sees": _logs_what_it_sees,
        "logs all that libraries say": _logs_all_that_libraries_say,
        "fails with words": _fails_with_words,
        "fails with words and tells": _fails_with_words_and_tells,
    }
)
