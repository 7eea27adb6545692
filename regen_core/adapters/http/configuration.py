"""The configuration of a service: one TOML file, read strictly; all its faults are told at once, each with its place.

An unknown key is a fault: a misspelt limit must not silently be the default.
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

from attrs import field, frozen

from regen_core.access import REGENERATION_PERMISSION, Caller
from regen_core.adapters.http.clients import Client, SecretHash
from regen_core.adapters.http.grouping import MOST_TOGETHER
from regen_core.adapters.http.limits import Quotas, Window
from regen_core.adapters.http.protocol import Bounds
from regen_core.adapters.http.server import ServerSettings
from regen_core.adapters.http.values import (
    Faulty,
    choice,
    is_network,
    names,
    number,
    secret_hash,
    text,
    texts,
    whole,
)
from regen_core.wire.answers import AnswerStyle

__all__ = ["Configuration", "ConfigurationFaults", "configuration_of", "read_configuration"]

_HOUR: Final = 3600
_DAY: Final = 86_400


@frozen(kw_only=True)
class Configuration:
    """What a service is told; ``None`` stands where the file leaves it open."""

    host: str | None = None
    port: int | None = None
    database: str | None = None
    clients: tuple[Client, ...] = ()
    quotas: Quotas = field(factory=Quotas)
    style: AnswerStyle = field(factory=AnswerStyle)
    body_seconds: float = 10.0
    threads: int | None = None
    most_together: int = MOST_TOGETHER
    server: ServerSettings = field(factory=ServerSettings)


class ConfigurationFaults(Exception):  # noqa: N818  # the word of the field
    """Everything that is wrong with a configuration; a line per fault, each with its place and what to do."""

    def __init__(self, faults: tuple[str, ...]) -> None:
        super().__init__("\n".join(faults))
        self.faults = faults


_Reader = Callable[[Any], Any]

_TABLES: Final[Mapping[str, Mapping[str, _Reader]]] = {
    "": {"database": text},
    "listen": {"host": text, "port": whole(0, 65_535), "trusted_proxies": texts(is_network)},
    "answers": {
        "business_failures": choice("status", "200"),
        "replays": choice("same", "409"),
    },
    "limits": {
        "requests_per_minute": whole(1, 10**9),
        "requests_per_hour": whole(1, 10**9),
        "requests_per_day": whole(1, 10**9),
        "concurrent_requests": whole(1, 10_000),
        "failed_logins_per_minute": whole(1, 10_000),
        "connections": whole(1, 100_000),
        "connections_per_address": whole(1, 100_000),
        "header_seconds": number(0.1, 600),
        "body_seconds": number(0.1, 600),
        "send_seconds": number(0.1, 600),
        "keep_alive_seconds": whole(1, 3600),
        "drain_seconds": number(0, 600),
        "stop_seconds": whole(1, 3600),
        "store_threads": whole(1, 64),
        "requests_per_commit": whole(1, 512),
    },
}
"""The tables of the file with their keys; what stands at the top has no name."""

_CLIENT: Final[Mapping[str, _Reader]] = {
    "client_id": names,
    "secret_hash": secret_hash,
    "tenant": names,
    "entities": texts(names),
    "orgs": texts(names),
    "permissions": texts(text),
}
_NEEDED: Final = ("client_id", "secret_hash", "tenant", "entities")


def read_configuration(path: Path) -> Configuration:
    """The configuration in a file. Raises :class:`ConfigurationFaults`, and ``OSError`` where it can't be read."""
    try:
        given = tomllib.loads(path.read_bytes().decode("utf-8-sig"))
    except UnicodeDecodeError:
        raise ConfigurationFaults(("The file is not UTF-8 text. Save it as such.",)) from None
    except tomllib.TOMLDecodeError as fault:
        raise ConfigurationFaults((f"The file is not TOML: {fault}.",)) from None
    return configuration_of(given)


def configuration_of(given: Mapping[str, Any]) -> Configuration:
    """The configuration in a parsed file. Raises :class:`ConfigurationFaults`.

    >>> configuration_of({"listen": {"port": 8443}, "clients": []}).port
    Traceback (most recent call last):
        ...
    regen_core.adapters.http.configuration.ConfigurationFaults: clients: there is none. Add a [[clients]] table.
    """
    faults: list[str] = []
    tables = {name: given.get(name, {}) for name in _TABLES if name}
    top = {name: value for name, value in given.items() if name not in tables and name != "clients"}
    values = {name: _table(name, table, _TABLES[name], faults) for name, table in {"": top, **tables}.items()}
    clients = _clients(given.get("clients", []), faults)
    if faults:
        raise ConfigurationFaults(tuple(faults))
    return _configuration(values, clients)


def _table(place: str, given: object, readers: Mapping[str, _Reader], faults: list[str]) -> dict[str, Any]:
    """The values of one table, without those that are at fault."""
    if not isinstance(given, dict):
        header = f"[{place}]" if place in _TABLES else "[[clients]]"
        faults.append(f"{place}: is not a table. Write {header} above its keys.")
        return {}
    found = {}
    for name, value in given.items():
        where = f"{place}.{name}" if place else name
        if name not in readers:
            faults.append(f"{where}: {_unknown(place, name, readers)}")
            continue
        try:
            found[name] = readers[name](value)
        except Faulty as fault:
            faults.append(f"{where}: {fault}")
    return found


def _unknown(place: str, name: str, readers: Mapping[str, _Reader]) -> str:
    """Where a key belongs that stands in the wrong place; else what there is in its place."""
    homes = [table for table, keys in _TABLES.items() if name in keys]
    if homes:
        return f"doesn't belong here. Write it {f'below [{homes[0]}]' if homes[0] else 'above all tables'}."
    if name in _CLIENT:
        return "doesn't belong here. Write it below [[clients]]."
    if place:
        return f"is unknown. Known here are {', '.join(readers)}."
    tables = ", ".join([f"[{table}]" for table in _TABLES if table])
    return f"is unknown. Known here are {', '.join(readers)}, and the tables {tables} and [[clients]]."


def _clients(given: object, faults: list[str]) -> tuple[Client, ...]:
    if not isinstance(given, list) or not given:
        faults.append("clients: there is none. Add a [[clients]] table.")
        return ()
    clients, seen = [], dict[str, int]()
    for place, each in enumerate(given, 1):
        where, before = f"clients[{place}]", len(faults)
        values = _table(where, each, _CLIENT, faults)
        missing = [name for name in _NEEDED if isinstance(each, dict) and name not in each]
        faults.extend([f"{where}.{name}: is missing. Add it." for name in missing])
        if not values.get("entities", ("-",)):
            faults.append(f"{where}.entities: is empty. Name at least one entity.")
        first = seen.setdefault(values.get("client_id", f"\0{place}"), place)
        if first != place:
            faults.append(f"{where}.client_id: is that of clients[{first}] too. Give each client an id of its own.")
        if len(faults) == before:
            clients.append(_client(values))
    return tuple(clients)


def _client(values: Mapping[str, Any]) -> Client:
    caller = Caller(
        tenant=values["tenant"],
        client=values["client_id"],
        entities=frozenset(values["entities"]),
        orgs=frozenset(values.get("orgs", ())),
        permissions=frozenset(values.get("permissions", (REGENERATION_PERMISSION,))),
    )
    secret: SecretHash = values["secret_hash"]
    return Client(caller, secret)


def _configuration(values: Mapping[str, Mapping[str, Any]], clients: tuple[Client, ...]) -> Configuration:
    listen, answers, limits = values["listen"], values["answers"], values["limits"]
    return Configuration(
        host=listen.get("host"),
        port=listen.get("port"),
        database=values[""].get("database"),
        clients=clients,
        quotas=_quotas(limits),
        style=AnswerStyle(
            business_failures_are_ok=answers.get("business_failures") == "200",
            replays_are_conflicts=answers.get("replays") == "409",
        ),
        body_seconds=limits.get("body_seconds", Configuration().body_seconds),
        threads=limits.get("store_threads"),
        most_together=limits.get("requests_per_commit", MOST_TOGETHER),
        server=_server(listen, limits),
    )


def _quotas(limits: Mapping[str, Any]) -> Quotas:
    usual = Quotas()
    minute, hour, day = usual.requests
    return Quotas(
        requests=(
            Window(60, limits.get("requests_per_minute", minute.quota)),
            Window(_HOUR, limits.get("requests_per_hour", hour.quota)),
            Window(_DAY, limits.get("requests_per_day", day.quota)),
        ),
        concurrent=limits.get("concurrent_requests", usual.concurrent),
        failed_logins=Window(60, limits.get("failed_logins_per_minute", usual.failed_logins.quota)),
    )


def _server(listen: Mapping[str, Any], limits: Mapping[str, Any]) -> ServerSettings:
    usual = ServerSettings()
    return ServerSettings(
        bounds=Bounds(
            head_seconds=limits.get("header_seconds", usual.bounds.head_seconds),
            send_seconds=limits.get("send_seconds", usual.bounds.send_seconds),
            connections=limits.get("connections", usual.bounds.connections),
            connections_per_address=limits.get("connections_per_address", usual.bounds.connections_per_address),
        ),
        keep_alive_seconds=limits.get("keep_alive_seconds", usual.keep_alive_seconds),
        drain_seconds=limits.get("drain_seconds", usual.drain_seconds),
        stop_seconds=limits.get("stop_seconds", usual.stop_seconds),
        trusted_proxies=tuple(listen.get("trusted_proxies", usual.trusted_proxies)),
    )
