"""``regen replay``: the failing histories of a conformance report, or one of them, performed again."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from regen_core.adapters.cli.conforming import service_named, system_named
from regen_core.adapters.cli.faults import BrokenOff, ExitCode
from regen_core.adapters.cli.settings import RegenCommand, settings_of
from regen_core.explain.blocks import Block, Line
from regen_core.wire.strict_json import JsonFault, parse

if TYPE_CHECKING:
    from regen_core.testing.replay import Replayed, ToReplay
    from regen_core.testing.systems import System

__all__ = ["replay"]


@click.command(cls=RegenCommand)
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False, exists=True))
@click.option("--store", metavar="MODULE:FACTORY", help="What makes an empty store, or a subject of the kit's.")
@click.option("--url", metavar="URL", help="The service, for what failed over HTTP.")
@click.option("--client-id", envvar="REGEN_CLIENT_ID", help="The service's client.  [env: REGEN_CLIENT_ID]")
@click.option("--document", metavar="TYPE:ID", help="With --url: a posted document that may be regenerated.")
@click.pass_context
def replay(
    ctx: click.Context, /, file: Path, store: str | None, url: str | None, client_id: str | None, document: str | None
) -> ExitCode:
    """Perform the failing histories of a conformance report again.

    FILE is what 'regen conformance --report' wrote, or one history of it. Exit status 1: one of them still fails.

    \b
    Example:
      regen replay report.json --store my_package.stores:build
    """
    from regen_core.testing.replay import replayed_json, replayed_lines, replayed_over_http  # noqa: PLC0415
    from regen_core.testing.systems import NoSystem  # noqa: PLC0415  # an extra of its own

    asked = _read(ctx, file)
    try:
        if url is not None:
            service = service_named(ctx, url, client_id, document, store)
            service.log_in()
            found = [replayed_over_http(service, each) for each in asked]
        else:
            found = _on_a_store(system_named(ctx, store), asked)
    except NoSystem as fault:
        raise BrokenOff(str(fault)) from None
    told: list[Block] = [Line(line) for each in found for line in replayed_lines(each)]
    if not found:
        told = [Line(f"{file.name} has no failing history")]
    settings_of(ctx).output.show(told, {"replayed": [replayed_json(each) for each in found]})
    return ExitCode.REFUSED if any(each.found is not None for each in found) else ExitCode.DONE


def _on_a_store(system: System, asked: tuple[ToReplay, ...]) -> list[Replayed]:
    from regen_core.testing.replay import replayed  # noqa: PLC0415

    try:
        return [replayed(system, each) for each in asked]
    finally:
        system.close()


def _read(ctx: click.Context, file: Path) -> tuple[ToReplay, ...]:
    from regen_core.testing.replay import NoHistory, histories_in  # noqa: PLC0415

    try:
        return histories_in(parse(file.read_bytes()))
    except (JsonFault, NoHistory) as fault:
        raise click.UsageError(f"{file.name}: {fault}", ctx) from None
