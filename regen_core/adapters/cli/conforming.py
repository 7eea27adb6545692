"""``regen conformance``: the kit on a store of somebody's own, with a report for people, programs and browsers."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from regen_core.adapters.cli.choices import whole
from regen_core.adapters.cli.conformance_systems import Named, system_options
from regen_core.adapters.cli.faults import BrokenOff, ExitCode
from regen_core.adapters.cli.settings import RegenCommand, settings_of
from regen_core.explain.blocks import Block, Line
from regen_core.wire.strict_json import dump

if TYPE_CHECKING:
    from regen_core.testing.options import Options
__all__ = ["conformance"]

_SEEDS: Final = 2**31
_FILE: Final = click.Path(path_type=Path)


@click.command(cls=RegenCommand)
@system_options
@click.option("--max-examples", type=whole(1), help="Random histories.  [default: 60]")
@click.option("--steps", type=whole(1), help="Steps of each history.  [default: 120]")
@click.option("--seed", type=whole(0), help="The first history's seed.  [default: another one each time]")
@click.option("--derandomize", is_flag=True, help="The same histories each time: seed 0.")
@click.option("--skips", type=_FILE, metavar="FILE", help="Checks to leave out: an id, two blanks, the reason.")
@click.option("--xfails", type=_FILE, metavar="FILE", help="Checks that must fail, in the same form.")
@click.option("--without", multiple=True, metavar="CAPABILITY", help="Skip what needs a capability; repeatable.")
@click.option("--report", type=_FILE, metavar="FILE", help="Write the report as JSON.")
@click.option("--html", type=_FILE, metavar="FILE", help="Write the report as a page.")
@click.pass_context
def conformance(
    ctx: click.Context,
    /,
    max_examples: int | None,
    steps: int | None,
    seed: int | None,
    derandomize: bool,
    skips: Path | None,
    xfails: Path | None,
    without: tuple[str, ...],
    report: Path | None,
    html: Path | None,
    **named: str | None,
) -> ExitCode:
    """Check a store, or a service over HTTP, against the rules.

    The factory makes an empty store each time that it is called. A failure names the rule and tells the shortest
    history that was found; 'regen replay' performs it again. Exit status 1: it does not conform.

    With --url alone the answers of a service are checked, and with --document those about a posted document. With
    --store beside it, which says what is behind the service, all that stores are checked by is. The client's secret is
    read from REGEN_CLIENT_SECRET.

    \b
    Examples:
      regen conformance --store my_package.stores:build
      regen conformance --store my_package.stores:build --report report.json
      regen conformance --url http://127.0.0.1:8080 --client-id ID \\
                        --document Invoice:8ad0ad0e9b293b260193ff7dbf9e399d
      regen conformance --url http://127.0.0.1:8080 --client-id ID \\
                        --store my_package.behind:build
    """
    options = _options(ctx, max_examples, steps, _seed(seed, derandomize=derandomize), skips, xfails)
    from regen_core.testing.conformance import conform  # noqa: PLC0415  # the kit is an extra of its own
    from regen_core.testing.conforming_service import conform_service  # noqa: PLC0415
    from regen_core.testing.factories import NoSystem  # noqa: PLC0415
    from regen_core.testing.report import report_json, summary_of  # noqa: PLC0415
    from regen_core.testing.report_html import report_html  # noqa: PLC0415
    from regen_core.testing.systems import System  # noqa: PLC0415

    system = Named(**named).system(ctx, without)
    _begin(report)
    _begin(html)
    try:
        found = conform(system, options) if isinstance(system, System) else conform_service(system, options)
    except NoSystem as fault:
        raise BrokenOff(str(fault)) from None
    _write(report, lambda: dump(report_json(found)) + "\n")
    _write(html, lambda: report_html(found))
    told: list[Block] = [Line(line) for line in summary_of(found)]
    settings_of(ctx).output.show(told, report_json(found))
    return ExitCode.DONE if found.is_conforming else ExitCode.REFUSED


def _begin(path: Path | None) -> None:
    """Make the file; raises ``OSError`` where that fails, before anybody waits for what is to be written into it."""
    if path is not None and not path.is_fifo():
        path.open("ab").close()


def _write(path: Path | None, text: Callable[[], str]) -> None:
    if path is not None:
        path.write_text(text(), encoding="utf-8")


def _seed(given: int | None, *, derandomize: bool) -> int:
    if given is not None:
        return given
    return 0 if derandomize else secrets.randbelow(_SEEDS)


def _options(
    ctx: click.Context,
    histories: int | None,
    steps: int | None,
    seed: int,
    skips: Path | None,
    xfails: Path | None,
) -> Options:
    from regen_core.testing.options import DEFAULT_HISTORIES, DEFAULT_STEPS, Options  # noqa: PLC0415

    return Options(
        histories=histories or DEFAULT_HISTORIES,
        steps=steps or DEFAULT_STEPS,
        seed=seed,
        skips=_entries(ctx, skips),
        xfails=_entries(ctx, xfails),
    )


def _entries(ctx: click.Context, path: Path | None) -> dict[str, str]:
    from regen_core.testing.lists import BadList, entries_of  # noqa: PLC0415

    if path is None:
        return {}
    try:
        return entries_of(path.read_text(encoding="utf-8"), path.name)
    except (BadList, UnicodeDecodeError) as fault:
        raise click.UsageError(str(fault), ctx) from None
