"""``regen deliver``: the relay from the outbox to Revenue's ledger, to a file or to an address."""

from __future__ import annotations

import os
import random
import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Final

import click
from attrs import define, field

from regen_core.adapters.cli.choices import whole
from regen_core.adapters.cli.connecting import opened
from regen_core.adapters.cli.faults import ExitCode
from regen_core.adapters.cli.settings import RegenCommand, Settings, settings_of
from regen_core.adapters.cli.stopping import Stop, stop_on_signals
from regen_core.adapters.revenue.file_sink import FileSink
from regen_core.adapters.revenue.relay import Happened, Relay, TakesNothing, Tally, Until, World, idle
from regen_core.adapters.revenue.sink import Sink
from regen_core.attempts import RetryPolicy
from regen_core.explain.blocks import Line, Tone, printable
from regen_core.explain.words import times
from regen_core.ports import MAX_PAGE, Backlog, Store, StoreFault

__all__ = ["deliver"]

BATCH: Final = 500
"""Deliveries handed over between two acknowledgements: what is repeated at most after a crash."""

HTTP_BATCH: Final = 100
"""Deliveries of one request: few enough for one answer to be about, many enough for the way there and back."""

PATIENT_ATTEMPTS: Final = 24
"""Attempts of a relay that runs for good: with five minutes between them, two thirds of an hour on average. One that
somebody waits for makes :class:`~regen_core.attempts.RetryPolicy`'s eight."""

SHOWN_PARKED: Final = 20
"""Parked deliveries that are named when the command ends; ``regen show deliveries --parked`` names all."""

TOKEN: Final = "REGEN_DELIVER_TOKEN"  # noqa: S105  # its name, not a token
"""The environment variable with a bearer token: not an option, which every user of the machine could read."""

_FILE: Final = "file:"
_PLACES: Final = "Deliveries go --to ledger, --to file:PATH or --to https://HOST/PATH."

_RETRY: Final = Line("When the cause is gone: regen deliver --retry-parked --to …", tone=Tone.QUIET)


class _NoHttp(StoreFault):
    def __init__(self) -> None:
        super().__init__("Delivering to an address needs httpcore. Install it with: pip install 'regen-core[cli]'")


@click.command(cls=RegenCommand)
@click.option("--to", "destination", metavar="ledger|file:PATH|URL", help="Where deliveries go.")
@click.option("--once", is_flag=True, help="Try what is due now; don't wait for what is to be tried again.")
@click.option("--follow", is_flag=True, help="Keep running and deliver what comes, until Ctrl-C.")
@click.option(
    "--max-attempts",
    type=whole(1),
    help=f"Park a delivery that failed so often.  [default: 8; with --follow: {PATIENT_ATTEMPTS}]",
)
@click.option(
    "--batch",
    type=whole(1, MAX_PAGE),
    help=f"Deliveries handed over at a time.  [default: {BATCH}; to a URL: {HTTP_BATCH}]",
)
@click.option("--retry-parked", is_flag=True, help="First release what is parked; without --to do no more.")
@click.pass_context
def deliver(
    ctx: click.Context,
    destination: str | None,
    once: bool,
    follow: bool,
    max_attempts: int | None,
    batch: int | None,
    retry_parked: bool,
) -> ExitCode:
    """Deliver what waits in the outbox, in the order in which it was committed.

    \b
    ledger     the built-in Revenue: it collects by the rules of regenerate_flag
    file:PATH  append a JSON object per line; acknowledged once on the disk
    URL        POST lines of JSON to http(s)://…; acknowledged by a status of 2xx

    What fails is tried again after a while, with growing pauses, until all is delivered or parked. What an address
    refuses, or what failed too often, is parked and the rest goes on; exit status 1 tells of it. A bearer token for
    the address comes from REGEN_DELIVER_TOKEN.

    Delivery is at least once: a line may come again, with the same delivery id. Several relays may run at once.

    \b
    Examples:
      regen deliver --to ledger
      regen deliver --to file:deliveries.ndjson
      regen deliver --to https://revenue.example/lines --follow
      regen deliver --retry-parked
    """
    if once and follow:
        raise click.UsageError("--once ends when nothing is due and --follow never ends: give one of them.", ctx)
    settings = settings_of(ctx)
    until = Until.ONCE if once else Until.STOPPED if follow else Until.DONE
    if destination is None and not retry_parked:
        raise click.UsageError("Missing option '--to'. " + _PLACES, ctx)
    sink = None if destination in (None, "ledger") else _sink(ctx, str(destination))
    with opened(settings.db) as store:
        released = store.release_parked(settings.scope) if retry_parked else None
        if destination is None:
            return _told_released(settings, released or 0)
        if sink is None:
            return _to_ledger(settings, store, until, batch or BATCH)
        attempts = max_attempts or (PATIENT_ATTEMPTS if follow else RetryPolicy().max_attempts)
        return _to_sink(settings, store, sink, until, attempts, batch)


def _sink(ctx: click.Context, destination: str) -> Sink:
    if destination.startswith(_FILE) and len(destination) > len(_FILE):
        return FileSink(destination.removeprefix(_FILE))
    if not destination.lower().startswith(("http:", "https:")):
        raise click.UsageError(_PLACES, ctx)
    from regen_core.adapters.revenue.destination import BadDestination, destination_of  # noqa: PLC0415  # as below

    try:
        where = destination_of(destination, os.environ.get(TOKEN))
    except BadDestination as fault:
        raise click.UsageError(str(fault), ctx) from None
    try:
        from regen_core.adapters.revenue.http_sink import HttpSink  # noqa: PLC0415  # only who sends needs a client
    except ModuleNotFoundError:
        raise _NoHttp from None
    return HttpSink(where)


def _told_released(settings: Settings, released: int) -> ExitCode:
    waits = "it waits" if released == 1 else "they wait"
    told = f"{times(released, 'parked delivery', 'parked deliveries')} released; {waits} to be delivered"
    settings.output.show([Line(told, tone=Tone.STRONG)], {"success": True, "released": released})
    return ExitCode.DONE


def _to_ledger(settings: Settings, store: Store, until: Until, batch: int) -> ExitCode:
    collected = ignored = 0
    with stop_on_signals() as stop:
        while not stop.is_asked:
            done = store.deliver_to_ledger(settings.scope, batch)
            if not done.collected + done.ignored:
                wait = idle(store, settings.scope, until)
                if wait is None:
                    break
                stop.sleep(wait.total_seconds())
            collected, ignored = collected + done.collected, ignored + done.ignored
    left = store.backlog(settings.scope)
    is_done = not left.waiting or not _stopped_early(stop, until)
    return _told_of_ledger(settings, collected, ignored, left, is_done=is_done)


def _told_of_ledger(settings: Settings, collected: int, ignored: int, left: Backlog, *, is_done: bool) -> ExitCode:
    total = collected + ignored
    told = f"{times(total, 'delivery', 'deliveries')} to the ledger: {collected} collected, {ignored} ignored"
    counts = ", ".join([f"{count} {word}" for count, word in _left(left) if count])
    lines = [Line(f"{told} (REV-1, REV-2){f'; {counts}' if counts else ''}", tone=Tone.STRONG)]
    if left.parked:
        lines.append(_RETRY)
    value = {
        "delivered": total,
        "collected": collected,
        "ignored": ignored,
        **{word: count for count, word in _left(left)},
    }
    settings.output.show(lines, {"success": is_done, "to": "ledger", **value})
    return ExitCode.DONE if is_done else ExitCode.ENVIRONMENT_FAILED


def _left(backlog: Backlog) -> tuple[tuple[int, str], ...]:
    return (backlog.waiting, "waiting"), (backlog.parked, "parked")


def _to_sink(settings: Settings, store: Store, sink: Sink, until: Until, attempts: int, batch: int | None) -> ExitCode:
    report = _Report(sink.shown)
    size = batch or (BATCH if isinstance(sink, FileSink) else HTTP_BATCH)
    with sink, stop_on_signals() as stop:
        relay = Relay(
            store=store,
            scope=settings.scope,
            sink=sink,
            world=_world(stop),
            batch=size,
            policy=RetryPolicy(max_attempts=attempts),
            tell=report.tell,
        )
        tally = relay.run(until)
    return _told(settings, store, sink, report, tally, is_cut_short=tally.held_up or _stopped_early(stop, until))


def _world(stop: Stop) -> World:
    return World(
        now=lambda: datetime.now(UTC),
        elapsed=time.monotonic,
        sleep=stop.sleep,
        jitter=random.random,
        is_stopped=lambda: stop.is_asked,
    )


def _stopped_early(stop: Stop, until: Until) -> bool:
    return stop.is_asked and until is not Until.STOPPED


@define
class _Report:
    """What goes wrong, told on standard error while it happens, and the parked ones kept for the end."""

    shown: str
    parked: list[dict[str, str]] = field(factory=list)

    def tell(self, happened: Happened | TakesNothing) -> None:
        """Tell of one failed attempt, or of a destination that takes nothing."""
        told = _suspicion(happened) if isinstance(happened, TakesNothing) else self._attempt(happened)
        click.echo(f"regen: {printable(self.shown)}: {printable(told)}", err=True)

    def _attempt(self, happened: Happened) -> str:
        ids = [entry.delivery.id for entry in happened.entries]
        if happened.again_in is None:
            if len(self.parked) < SHOWN_PARKED:
                self.parked.extend({"id": each, "reason": happened.reason} for each in ids)
            return f"delivery {ids[0]} is parked: {happened.reason}"
        wait = _seconds(happened.again_in)
        return f"{times(len(ids), 'delivery', 'deliveries')} not taken: {happened.reason}; again in {wait}"


def _suspicion(of: TakesNothing) -> str:
    told, then = f"{of.in_a_row} deliveries in a row were parked and none was taken", ", then use --retry-parked"
    if of.said is not None:
        told, then = f"{of.said}; {of.in_a_row} answers in a row were like that and nothing was taken", ""
    told = f"{told}, which looks like a wrong address"
    if of.again_in is None:
        return f"{told}. Stopped: what isn't parked waits. Check --to and the credentials{then}"
    return f"{told}; one more is tried in {_seconds(of.again_in)}"


def _seconds(wait: timedelta) -> str:
    return f"{wait.total_seconds():.1f} s"


def _told(
    settings: Settings, store: Store, sink: Sink, report: _Report, tally: Tally, *, is_cut_short: bool
) -> ExitCode:
    left = store.backlog(settings.scope)
    code = _exit_code(tally, left, is_cut_short=is_cut_short)
    value = {
        "success": code is ExitCode.DONE,
        "to": sink.shown,
        "delivered": tally.delivered,
        "retried": tally.retried,
        "parked": tally.parked,
        "waiting": left.waiting,
        "parked_deliveries": report.parked,
    }
    settings.output.show(_lines(sink, report, tally, left), value)
    return code


def _exit_code(tally: Tally, left: Backlog, *, is_cut_short: bool) -> ExitCode:
    if is_cut_short and left.waiting:
        return ExitCode.ENVIRONMENT_FAILED
    return ExitCode.REFUSED if tally.parked else ExitCode.DONE


def _lines(sink: Sink, report: _Report, tally: Tally, left: Backlog) -> Sequence[Line]:
    verb = "appended" if isinstance(sink, FileSink) else "delivered"
    told = f"{times(tally.delivered, 'delivery', 'deliveries')} {verb} to {sink.shown}"
    counts = ((tally.retried, "retried"), (tally.parked, "parked"), (left.waiting, "waiting"))
    told = ", ".join([told, *[f"{count} {word}" for count, word in counts if count]])
    lines = [Line(told, tone=Tone.STRONG)]
    lines += [Line(f"{each['id']}: {each['reason']}", label="parked", tone=Tone.WARNING) for each in report.parked]
    if tally.parked > len(report.parked):
        lines.append(Line("… and more: regen show deliveries --parked", tone=Tone.QUIET))
    if tally.parked:
        lines.append(_RETRY)
    return lines
