"""``regen serve``: the operation over HTTP until somebody asks to stop; and ``regen hash-secret`` for its clients."""

from __future__ import annotations

import errno
import gc
import socket
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click
from attrs import evolve

from regen_core.adapters.cli.choices import faultless, whole
from regen_core.adapters.cli.connecting import opened
from regen_core.adapters.cli.faults import BrokenOff, ExitCode
from regen_core.adapters.cli.settings import RegenCommand, Settings, given_options, settings_of
from regen_core.adapters.cli.watching import watching
from regen_core.explain.blocks import Block, Line, Tone

if TYPE_CHECKING:
    from regen_core.adapters.http.configuration import Configuration

__all__ = ["hash_secret", "serve"]

DEFAULT_HOST: Final = "127.0.0.1"
DEFAULT_PORT: Final = 8080

_SERVER_THREADS: Final = 8

_GARBAGE: Final = 20_000
"""New objects after which garbage is looked for: many times those of a group of requests, and a few megabytes."""

_NO_NAME: Final = "that is no address, and no name of one. Give --host an address of this machine, such as 127.0.0.1"
_UNLISTENABLE: Final = {
    errno.EADDRINUSE: "another program listens there. Stop it, or choose another port with --port",
    errno.EACCES: "permission denied. Choose a port above 1023 with --port",
    errno.EADDRNOTAVAIL: "this machine has no such address. Choose another with --host",
    **dict.fromkeys((socket.EAI_NONAME, socket.EAI_AGAIN, socket.EAI_FAIL), _NO_NAME),
}

_NEEDLESS: Final = ("tenant", "entity", "orgs")


def _empty(text: str) -> str | None:
    return None if text else "is empty. Name an address, or leave it out."


@click.command(cls=RegenCommand)
@click.option("--host", callback=faultless(_empty), help=f"Address to listen on.  [default: {DEFAULT_HOST}]")
@click.option("--port", type=whole(0, 65535), help=f"Port to listen on; 0: any.  [default: {DEFAULT_PORT}]")
@click.option(
    "--config", "path", type=click.Path(path_type=Path), metavar="FILE", help="A service's configuration: TOML."
)
@click.option("--window/--no-window", default=None, help="Show what happens on a page.  [default: in a sandbox]")
@click.pass_context
def serve(
    ctx: click.Context, /, host: str | None, port: int | None, path: Path | None, window: bool | None
) -> ExitCode:
    """Answer the operation over HTTP.

    Without a configuration it is a sandbox: one client of the tenant and entity, printed at the start, on the database
    that the other commands use. With a configuration it knows the clients that the file names; 'regen hash-secret
    --new' makes an id, a secret and its hash for one. Ctrl-C or SIGTERM lets requests in flight finish.

    The window is a page for this machine's own browser: documents, what is stored, what Revenue holds, the last
    requests. Whoever knows its address may do everything there; it is printed, and new at each start.

    \b
    Examples:
      regen serve
      regen serve --config service.toml
    """
    try:
        from regen_core.adapters.http import running, server  # noqa: PLC0415  # an extra of its own
    except ModuleNotFoundError as missing:
        raise BrokenOff(f"The service needs the package {missing.name}: pip install 'regen-core[http]'.") from None
    settings = settings_of(ctx)
    configuration, told = _sandbox(settings) if path is None else (_configured(ctx, path, settings), {})
    host, port = _address(configuration, host, port)
    database = configuration.database or settings.db
    threads = configuration.threads or _threads(database)
    with (
        opened(database, may_create=True) as store,
        _listening(server.bound_socket, host, port) as listening,
        watching(
            store, listening, configuration, database=database, is_configured=path is not None, is_wanted=window
        ) as seen,
    ):
        shown = {} if seen is None else {"window": seen.url}
        _settle()
        running.run_service(
            evolve(configuration, threads=threads),
            store,
            running.Surroundings(listening=listening),
            on_start=lambda: _tell(settings, {"url": server.url_of(listening), **shown, **told}),
            additions=None if seen is None else seen.additions,
        )
    return ExitCode.DONE


def _settle() -> None:
    """Spare the collector of garbage what the program itself is made of, and the objects of requests in flight."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(_GARBAGE)


def _threads(database: str) -> int:
    """SQLite lets one write at a time, so one thread saves it the waiting for locks; a server serves several."""
    return 1 if database.startswith("sqlite") else _SERVER_THREADS


def _sandbox(settings: Settings) -> tuple[Configuration, dict[str, str]]:
    """A configuration of one new client, and what it needs to log in."""
    from regen_core.adapters.http.configuration import Configuration  # noqa: PLC0415
    from regen_core.adapters.http.sandbox import sandbox_client  # noqa: PLC0415

    made = sandbox_client(settings.tenant, settings.entity, settings.orgs)
    told = {"client_id": made.client.caller.client, "client_secret": made.secret}
    return Configuration(clients=(made.client,)), told


def _configured(ctx: click.Context, path: Path, settings: Settings) -> Configuration:
    """The configuration in a file; ``--db`` wins over its database."""
    from regen_core.adapters.http.configuration import ConfigurationFaults, read_configuration  # noqa: PLC0415

    given = given_options(ctx)
    needless = [f"--{name.rstrip('s')}" for name in _NEEDLESS if name in given]
    if needless:
        message = f"The clients of {str(path)!r} have tenants, entities and orgs; leave out {' and '.join(needless)}."
        raise click.UsageError(message, ctx)
    try:
        configuration = read_configuration(path)
    except ConfigurationFaults as faults:
        told = "\n".join([f"  {fault}" for fault in faults.faults])
        raise click.UsageError(f"The configuration {str(path)!r} can't be used:\n{told}", ctx) from None
    return evolve(configuration, database=settings.db) if "db" in given else configuration


def _address(configuration: Configuration, host: str | None, port: int | None) -> tuple[str, int]:
    """Where to listen: the command line wins over the file."""
    ports = (port, configuration.port, DEFAULT_PORT)
    return host or configuration.host or DEFAULT_HOST, next(each for each in ports if each is not None)


def _listening(bind: Callable[[str, int], socket.socket], host: str, port: int) -> socket.socket:
    try:
        return bind(host, port)
    except OSError as fault:
        because = _UNLISTENABLE.get(fault.errno or 0, fault.strerror or type(fault).__name__)
        raise BrokenOff(f"Can't listen on {host} port {port}: {because}.") from None


def _tell(settings: Settings, told: dict[str, str]) -> None:
    """What a client needs, as soon as it is answered."""
    blocks: list[Block] = [Line(value, name) for name, value in told.items()]
    if "client_secret" in told:
        blocks.append(Line("a sandbox: this client is new at each start", tone=Tone.QUIET))
    settings.output.show(blocks, told)
    sys.stdout.flush()


@click.command(cls=RegenCommand, name="hash-secret")
@click.option("--new", "is_new", is_flag=True, help="Make a client id and a secret too; both fit the official SDK.")
@click.pass_context
def hash_secret(ctx: click.Context, /, is_new: bool) -> ExitCode:
    """Print the hash of a client's secret, for the configuration of a service.

    The secret is read from standard input, or asked for on a terminal. It isn't kept.

    \b
    Examples:
      regen hash-secret < secret.txt
      regen hash-secret --new
    """
    try:
        from regen_core.adapters.http import clients, sandbox  # noqa: PLC0415  # an extra of its own
    except ModuleNotFoundError as missing:
        raise BrokenOff(f"The service needs the package {missing.name}: pip install 'regen-core[http]'.") from None
    told: dict[str, Any] = {}
    if is_new:
        told = {"client_id": sandbox.new_client_id(), "client_secret": sandbox.new_secret()}
    told["secret_hash"] = clients.hash_secret(told.get("client_secret") or _secret(ctx)).text
    settings_of(ctx).output.show([Line(value, name) for name, value in told.items()], told)
    return ExitCode.DONE


def _secret(ctx: click.Context) -> str:
    """The secret without the line's end; refused where there is none."""
    if sys.stdin.isatty():
        return str(click.prompt("Secret", hide_input=True, confirmation_prompt=True, err=True))
    secret = sys.stdin.readline().rstrip("\r\n")
    if not secret:
        raise click.UsageError("No secret came on standard input. Write it there, or use --new.", ctx)
    return secret
