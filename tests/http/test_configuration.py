"""The configuration file: what it may say, and how every fault of it is told."""

from __future__ import annotations

import codecs
from pathlib import Path
from typing import Any

import pytest

from regen_core.access import REGENERATION_PERMISSION
from regen_core.adapters.http.clients import Client, Clients, SecretHash, hash_secret
from regen_core.adapters.http.configuration import (
    Configuration,
    ConfigurationFaults,
    configuration_of,
    read_configuration,
)
from tests.http.conftest import CLIENTS, HASH, SECRET

CLIENT = {"client_id": "c", "secret_hash": HASH.text, "tenant": "t", "entities": ["e"]}
EXAMPLE = Path(__file__).parents[2] / "docs" / "examples" / "service.toml"


def faults(given: dict[str, Any]) -> tuple[str, ...]:
    """What is wrong with a configuration."""
    with pytest.raises(ConfigurationFaults) as raised:
        configuration_of(given)
    return raised.value.faults


def places(given: dict[str, Any]) -> list[str]:
    """Where something is wrong."""
    return [fault.partition(":")[0] for fault in faults(given)]


class TestRead:
    """What stands in the file is what the service does."""

    def test_a_mark_of_the_byte_order_is_no_fault(self, tmp_path: Path) -> None:
        """Some editors write one at the beginning of every file."""
        (tmp_path / "marked.toml").write_bytes(codecs.BOM_UTF8 + EXAMPLE.read_bytes())
        assert read_configuration(tmp_path / "marked.toml") == read_configuration(EXAMPLE)

    def test_the_example_of_the_documentation_says_the_defaults(self) -> None:
        """Every key of it, so that a reader can change any."""
        read = read_configuration(EXAMPLE)
        usual = Configuration()
        assert (read.quotas, read.style, read.server) == (usual.quotas, usual.style, usual.server)
        assert (read.body_seconds, read.host, read.port) == (usual.body_seconds, "127.0.0.1", 8080)
        first, second = read.clients
        assert first.caller.permissions == {REGENERATION_PERMISSION}
        assert second.caller.orgs == {"north", "south"}
        assert second.caller.entities == {"eu", "us"}
        assert first.secret.matches("correct horse battery staple")

    def test_a_client_with_the_least(self) -> None:
        """No orgs, and the permission that the operation needs."""
        (client,) = configuration_of({"clients": [CLIENT]}).clients
        assert client.caller.orgs == frozenset()
        assert client.caller.permissions == {REGENERATION_PERMISSION}

    def test_everything_else(self) -> None:
        """Each key arrives where it is used."""
        read = configuration_of(
            {
                "database": "sqlite:///other.db",
                "listen": {"host": "::1", "port": 0, "trusted_proxies": ["10.0.0.0/8"]},
                "answers": {"business_failures": "200", "replays": "409"},
                "limits": {
                    "requests_per_minute": 1,
                    "requests_per_hour": 2,
                    "requests_per_day": 3,
                    "concurrent_requests": 4,
                    "failed_logins_per_minute": 5,
                    "connections": 6,
                    "connections_per_address": 15,
                    "header_seconds": 7,
                    "body_seconds": 8.5,
                    "send_seconds": 9,
                    "keep_alive_seconds": 10,
                    "drain_seconds": 0,
                    "stop_seconds": 12,
                    "store_threads": 13,
                    "requests_per_commit": 14,
                },
                "clients": [{**CLIENT, "permissions": []}],
            }
        )
        assert [window.quota for window in read.quotas.requests] == [1, 2, 3]
        assert [window.seconds for window in read.quotas.requests] == [60, 3600, 86_400]
        assert (read.quotas.concurrent, read.quotas.failed_logins.quota) == (4, 5)
        bounds, server = read.server.bounds, read.server
        assert (bounds.connections, bounds.head_seconds, bounds.send_seconds) == (6, 7.0, 9.0)
        assert (read.body_seconds, server.keep_alive_seconds, server.drain_seconds) == (8.5, 10, 0.0)
        assert (server.stop_seconds, read.threads, server.trusted_proxies) == (12, 13, ("10.0.0.0/8",))
        assert (read.most_together, bounds.connections_per_address) == (14, 15)
        assert (read.style.business_failures_are_ok, read.style.replays_are_conflicts) == (True, True)
        assert (read.host, read.port, read.database) == ("::1", 0, "sqlite:///other.db")
        assert read.clients[0].caller.permissions == frozenset()


TABLES = "[listen], [answers], [limits]"


class TestFaults:
    """All at once, each with its place and what to do, and no value repeated."""

    @pytest.mark.parametrize(
        ("table", "key", "value"),
        [
            ("listen", "port", 65_536),
            ("listen", "port", "8080"),
            ("listen", "port", True),
            ("listen", "host", ""),
            ("listen", "trusted_proxies", ["proxy"]),
            ("listen", "trusted_proxies", "10.0.0.1"),
            ("answers", "replays", "200"),
            ("answers", "business_failures", 200),
            ("limits", "requests_per_minute", 0),
            ("limits", "concurrent_requests", 1.5),
            ("limits", "body_seconds", 0),
            ("limits", "body_seconds", float("nan")),
            ("limits", "body_second", 5),
        ],
    )
    def test_a_value_that_cannot_be(self, table: str, key: str, value: object) -> None:
        """Told by its place."""
        assert places({table: {key: value}, "clients": [CLIENT]}) == [f"{table}.{key}"]

    def test_a_key_that_is_unknown_and_a_table_that_is_none(self) -> None:
        """Misspelt ones must not silently mean the default."""
        assert places({"limit": {}, "listen": 5, "clients": [CLIENT]}) == ["limit", "listen"]

    @pytest.mark.parametrize(
        ("given", "told"),
        [
            ({"port": 8443}, "port: doesn't belong here. Write it below [listen]."),
            ({"tenant": "t"}, "tenant: doesn't belong here. Write it below [[clients]]."),
            ({"listen": {"database": "x"}}, "listen.database: doesn't belong here. Write it above all tables."),
            ({"clients": [{**CLIENT, "host": "x"}]}, "clients[1].host: doesn't belong here. Write it below [listen]."),
            ({"listen": {"prot": 1}}, "listen.prot: is unknown. Known here are host, port, trusted_proxies."),
            ({"limit": {}}, f"limit: is unknown. Known here are database, and the tables {TABLES} and [[clients]]."),
            ({"listen": 5}, "listen: is not a table. Write [listen] above its keys."),
            ({"clients": [5]}, "clients[1]: is not a table. Write [[clients]] above its keys."),
        ],
    )
    def test_where_it_belongs_is_told(self, given: dict[str, Any], told: str) -> None:
        """What is known elsewhere is in the wrong place, and not unknown."""
        assert faults({"clients": [CLIENT], **given}) == (told,)

    @pytest.mark.parametrize(
        ("client", "where"),
        [
            ({**CLIENT, "secret": "s"}, ["clients[1].secret"]),
            ({**CLIENT, "secret_hash": "s"}, ["clients[1].secret_hash"]),
            ({**CLIENT, "entities": []}, ["clients[1].entities"]),
            ({**CLIENT, "entities": "e"}, ["clients[1].entities"]),
            ({**CLIENT, "entities": ["e", ""]}, ["clients[1].entities"]),
            ({**CLIENT, "tenant": " "}, ["clients[1].tenant"]),
            ({**CLIENT, "client_id": "a\x00b"}, ["clients[1].client_id"]),
            ({"client_id": "c"}, ["clients[1].secret_hash", "clients[1].tenant", "clients[1].entities"]),
            (5, ["clients[1]"]),
        ],
    )
    def test_a_client_that_cannot_be(self, client: Any, where: list[str]) -> None:
        """Each of its faults."""
        assert places({"clients": [client]}) == where

    def test_two_clients_with_one_id(self) -> None:
        """One of them could never log in."""
        assert places({"clients": [CLIENT, {**CLIENT, "tenant": "u"}]}) == ["clients[2].client_id"]

    @pytest.mark.parametrize("clients", [[], 5, {"client_id": "c"}])
    def test_no_clients(self, clients: object) -> None:
        """A service that answers nobody."""
        assert places({"clients": clients}) == ["clients"]

    def test_all_faults_are_told_together_and_without_values(self) -> None:
        """A secret that was put into the wrong place isn't printed."""
        told = faults(
            {"listen": {"port": -1}, "limits": {"connections": 0}, "clients": [{**CLIENT, "secret_hash": "canary"}]}
        )
        assert len(told) == 3
        assert "canary" not in "".join(told)

    @pytest.mark.parametrize("content", [b"\xff", b"port = ", b"[listen]\n[listen]\n"])
    def test_a_file_that_is_none(self, tmp_path: Path, content: bytes) -> None:
        """Not text, not TOML."""
        path = tmp_path / "service.toml"
        path.write_bytes(content)
        with pytest.raises(ConfigurationFaults) as raised:
            read_configuration(path)
        assert len(raised.value.faults) == 1


class TestSecrets:
    """Kept as scrypt hashes."""

    def test_a_hash_fits_its_secret_only(self) -> None:
        """Also as the text that stands in the file; and two of one secret differ."""
        again = SecretHash.parse(hash_secret(SECRET).text)
        assert again is not None
        assert again != HASH
        assert [again.matches(secret) for secret in (SECRET, SECRET + " ", "", "\ud800")] == [True, False, False, False]

    @pytest.mark.parametrize(
        "text",
        ["", "scrypt", "scrypt$$", "scrypt$a$b", HASH.text + "=", "md5" + HASH.text[6:], HASH.text + "$x"],
        ids=range(7),  # a hash is another one in each process, and each must collect the same tests
    )
    def test_what_is_no_hash(self, text: str) -> None:
        """Refused when it is read, not when somebody logs in."""
        assert SecretHash.parse(text) is None

    def test_nothing_shows_them(self) -> None:
        """In a representation, which a traceback may print."""
        client = Client(CLIENTS[0], HASH)
        assert HASH.text.split("$")[1] not in repr(Clients.of([client])) + repr(client)
        assert repr(HASH.key)[2:10] not in repr(client)

    def test_an_unknown_client_is_compared_too(self) -> None:
        """With a hash that nothing matches: the control is that the known one does."""
        clients = Clients.of([Client(CLIENTS[0], HASH)])
        assert clients.authenticated("one", SECRET) is CLIENTS[0]
        assert clients.authenticated("nobody", SECRET) is None
        assert clients.authenticated("one", "") is None

    def test_an_unknown_client_costs_a_derivation(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """As many as a known one."""
        derived: list[str] = []
        real = SecretHash.matches

        def counted(self: SecretHash, secret: str) -> bool:
            derived.append(secret)
            return real(self, secret)

        monkeypatch.setattr(SecretHash, "matches", counted)
        clients = Clients.of([Client(CLIENTS[0], HASH)])
        for client_id in ("one", "nobody"):
            clients.authenticated(client_id, "wrong")
        assert len(derived) == 2
