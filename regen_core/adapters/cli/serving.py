"""``regen serve``: the operation over HTTP, until somebody asks to stop."""

from __future__ import annotations

import sys
from typing import Final

import click

from regen_core.adapters.cli.connecting import opened
from regen_core.adapters.cli.faults import BrokenOff, ExitCode
from regen_core.adapters.cli.settings import RegenCommand, settings_of
from regen_core.explain.blocks import Line

__all__ = ["serve"]

DEFAULT_HOST: Final = "127.0.0.1"
DEFAULT_PORT: Final = 8080


@click.command(cls=RegenCommand)
@click.option("--host", help=f"Address to listen on.  [default: {DEFAULT_HOST}]")
@click.option("--port", type=click.IntRange(0, 65535), help=f"Port to listen on; 0: any.  [default: {DEFAULT_PORT}]")
@click.pass_context
def serve(ctx: click.Context, host: str | None, port: int | None) -> ExitCode:
    """Answer the operation over HTTP. Without a configuration: a sandbox with one client, which is printed.

    \b
    Examples:
      regen serve
      regen serve --config regen.toml
    """
    try:
        from regen_core.adapters.http.application import Service, application  # noqa: PLC0415  # an extra of its own
        from regen_core.adapters.http.clients import Clients  # noqa: PLC0415
        from regen_core.adapters.http.execution import StoreThreads  # noqa: PLC0415
        from regen_core.adapters.http.sandbox import sandbox_client  # noqa: PLC0415
        from regen_core.adapters.http.server import ServiceServer, bound_socket, url_of  # noqa: PLC0415
    except ModuleNotFoundError as missing:
        raise BrokenOff(f"The HTTP service needs the package {missing.name}: pip install 'regen-core[http]'.") from None
    settings = settings_of(ctx)
    made = sandbox_client(settings.tenant, settings.entity, settings.orgs)
    with opened(settings.db, may_create=True) as store, bound_socket(host or DEFAULT_HOST, port or 0) as listening:
        url = url_of(listening)

        def tell() -> None:
            lines = [Line(url, "url"), Line(made.client.caller.client, "client_id"), Line(made.secret, "client_secret")]
            told = {"url": url, "client_id": made.client.caller.client, "client_secret": made.secret}
            settings.output.show(lines, told)
            sys.stdout.flush()

        executor = StoreThreads(store)
        app = application(Service(executor=executor, clients=Clients.of([made.client])))
        ServiceServer(app, stop_seconds=30, on_start=tell).run([listening])
        executor.close()
    return ExitCode.DONE
