"""What ``regen conformance`` and ``regen replay`` check: a store, a service, or a service with what is behind it."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, Final

import click
from attrs import frozen

from regen_core.adapters.cli.faults import BrokenOff

if TYPE_CHECKING:
    from regen_core.testing.over_http import Service
    from regen_core.testing.systems import System

__all__ = ["Named", "system_options"]

_OPTIONS: Final = (
    click.option("--store", metavar="MODULE:FACTORY", help="What makes an empty store; with --url what is behind it."),
    click.option("--url", metavar="URL", help="A service to check over HTTP; use a sandbox."),
    click.option("--client-id", envvar="REGEN_CLIENT_ID", help="The service's client.  [env: REGEN_CLIENT_ID]"),
    click.option("--document", metavar="TYPE:ID", help="With --url alone: a posted document that may be regenerated."),
)


def system_options(command: Any) -> Any:
    """The options that name a system, added to a command."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


@frozen(kw_only=True)
class Named:
    """What the options say; each ``None`` where it wasn't given."""

    store: str | None
    url: str | None
    client_id: str | None
    document: str | None

    def system(self, ctx: click.Context, without: tuple[str, ...] = ()) -> System | Service:
        """What they name; a service alone shows less than one with what is behind it.

        A wrong name is wrong usage; raises :class:`BrokenOff` where a service can't be reached.
        """
        from regen_core.testing.factories import NoSystem, factory_named  # noqa: PLC0415  # an extra of its own
        from regen_core.testing.services import service_system  # noqa: PLC0415
        from regen_core.testing.systems import system_of  # noqa: PLC0415

        if self.store is None and self.url is None:
            raise click.UsageError("Nothing to check. Name a store with --store module:factory, or --url.", ctx)
        try:
            factory = None if self.store is None else factory_named(self.store)
            if self.url is None:
                assert self.store is not None, "one of the two was given"
                assert factory is not None, "it was named"
                return system_of(self.store, factory, without)
        except NoSystem as fault:
            raise click.UsageError(str(fault), ctx) from None
        service = self._service(ctx, self.url)
        if self.store is None or factory is None:
            return service
        try:
            return service_system(service, self.store, factory, without)
        except NoSystem as fault:
            raise BrokenOff(str(fault)) from None

    def _service(self, ctx: click.Context, url: str) -> Service:
        """The secret comes from the environment, where no list of processes shows it."""
        from regen_core.testing.clients import Client  # noqa: PLC0415
        from regen_core.testing.factories import NoSystem  # noqa: PLC0415
        from regen_core.testing.over_http import Service, address_of  # noqa: PLC0415

        try:
            address_of(url)
        except NoSystem as fault:
            raise click.UsageError(str(fault), ctx) from None
        secret = os.environ.get("REGEN_CLIENT_SECRET")
        is_known = bool(self.client_id and secret)
        if not is_known and self.store is None:
            raise click.UsageError("A service needs --client-id, and the secret in REGEN_CLIENT_SECRET.", ctx)
        clients = (Client(id=self.client_id or "", secret=secret or ""),) if is_known else ()
        return Service(url, clients, self._document(ctx))

    def _document(self, ctx: click.Context) -> tuple[str, str] | None:
        if self.document is None:
            return None
        kind, colon, name = self.document.partition(":")
        if not (kind and colon and name):
            told = f"{self.document!r} names no document. Write TYPE:ID, such as Invoice:8ad08d29."
            raise click.UsageError(told, ctx)
        return kind, name
