"""``regen deliver``: the relay from the outbox to Revenue's ledger or to a file."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import click

from regen_core.access import Scope
from regen_core.adapters.cli.connecting import opened
from regen_core.adapters.cli.faults import ExitCode
from regen_core.adapters.cli.ndjson_file import AppendedFile
from regen_core.adapters.cli.settings import RegenCommand, settings_of
from regen_core.explain.blocks import Line, Tone
from regen_core.explain.words import times
from regen_core.ports import Store
from regen_core.wire.canonical import delivery_json

__all__ = ["deliver"]

BATCH: Final = 500
"""Deliveries handed over between two acknowledgements: what is repeated at most after a crash."""

_FILE: Final = "file:"


@click.command(cls=RegenCommand)
@click.option("--to", "destination", required=True, metavar="ledger|file:PATH", help="Where deliveries go.")
@click.pass_context
def deliver(ctx: click.Context, destination: str) -> ExitCode:
    """Deliver what waits in the outbox, in the order in which it was committed.

    \b
    ledger     the built-in Revenue: it collects by the rules of regenerate_flag
    file:PATH  append one JSON object per line; acknowledged once it is on the disk

    Delivery is at least once: after a crash a line may come again, with the same delivery id.
    """
    settings = settings_of(ctx)
    relay = _relay_to(ctx, destination)
    with opened(settings.db) as store:
        told, value = relay(store, settings.scope)
    settings.output.show([Line(told, tone=Tone.STRONG)], {"success": True, "to": destination, **value})
    return ExitCode.DONE


_Told = tuple[str, dict[str, Any]]


def _relay_to(ctx: click.Context, destination: str) -> Callable[[Store, Scope], _Told]:
    if destination == "ledger":
        return _to_ledger
    if destination.startswith(_FILE) and len(destination) > len(_FILE):
        path = destination.removeprefix(_FILE)
        return lambda store, scope: _to_file(store, scope, path)
    raise click.UsageError(f"Deliveries go --to ledger or --to file:PATH, not to {destination!r}.", ctx)


def _to_ledger(store: Store, scope: Scope) -> _Told:
    collected = ignored = 0
    while True:
        done = store.deliver_to_ledger(scope, BATCH)
        if not done.collected + done.ignored:
            break
        collected, ignored = collected + done.collected, ignored + done.ignored
    total = collected + ignored
    told = f"{times(total, 'delivery', 'deliveries')} to the ledger: {collected} collected, {ignored} ignored"
    return f"{told} (REV-1, REV-2)", {"delivered": total, "collected": collected, "ignored": ignored}


def _to_file(store: Store, scope: Scope, path: str) -> _Told:
    total = 0
    with AppendedFile(path) as file:
        while True:
            waiting = store.pending(scope, BATCH)
            if not waiting:
                break
            file.append([delivery_json(entry.delivery) for entry in waiting])
            total += store.acknowledge(scope, waiting)
    told = f"{times(total, 'delivery', 'deliveries')} appended to {path}"
    return told, {"delivered": total}
