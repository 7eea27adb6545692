"""``regen replay``: the failing histories of a conformance report, or one of them, performed again."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from regen_core.adapters.cli.conformance_systems import Named, system_options
from regen_core.adapters.cli.faults import BrokenOff, ExitCode
from regen_core.adapters.cli.settings import RegenCommand, settings_of
from regen_core.explain.blocks import Block, Line
from regen_core.wire.strict_json import JsonFault, parse

if TYPE_CHECKING:
    from regen_core.testing.replay import ToReplay

__all__ = ["replay"]


@click.command(cls=RegenCommand)
@click.argument("file", type=click.Path(path_type=Path))
@system_options
@click.pass_context
def replay(ctx: click.Context, /, file: Path, **named: str | None) -> ExitCode:
    """Perform the failing histories of a conformance report again.

    FILE is what 'regen conformance --report' wrote, or one history of it. Exit status 1: one of them still fails.

    \b
    Example:
      regen replay report.json --store my_package.stores:build
    """
    from regen_core.testing.factories import NoSystem  # noqa: PLC0415  # an extra of its own
    from regen_core.testing.over_http import Service  # noqa: PLC0415
    from regen_core.testing.replay import replayed, replayed_json, replayed_lines  # noqa: PLC0415

    asked = _read(ctx, file)
    system = Named(**named).system(ctx)
    try:
        if isinstance(system, Service):
            system.log_in()
        found = [replayed(system, each) for each in asked]
    except NoSystem as fault:
        raise BrokenOff(str(fault)) from None
    finally:
        if not isinstance(system, Service):
            system.close()
    told: list[Block] = [Line(line) for each in found for line in replayed_lines(each)]
    if not found:
        told = [Line(f"{file.name} has no failing history")]
    settings_of(ctx).output.show(told, {"replayed": [replayed_json(each) for each in found]})
    return ExitCode.REFUSED if any(each.found is not None for each in found) else ExitCode.DONE


def _read(ctx: click.Context, file: Path) -> tuple[ToReplay, ...]:
    from regen_core.testing.replay import NoHistory, histories_in  # noqa: PLC0415

    try:
        return histories_in(parse(file.read_bytes()))
    except JsonFault as fault:
        raise click.UsageError(f"{file.name}: {fault}. Name what 'regen conformance --report' wrote.", ctx) from None
    except NoHistory as fault:
        raise click.UsageError(f"{file.name}: {fault}", ctx) from None
