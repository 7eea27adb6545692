"""The options that name a document, and what a request asks for, as values."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import click

from regen_core.adapters.cli.choices import choice
from regen_core.documents import DocumentType, name_fault
from regen_core.request import RegenerateRequest

__all__ = ["name_checked", "reference_options", "request_options", "requested"]

_Decorated = Callable[..., Any]


def reference_options(*, is_required: bool, of: str = "the document") -> Callable[[_Decorated], _Decorated]:
    """``--type``, ``--id`` and ``--number``; ``of`` what the id may be."""

    def decorate(command: _Decorated) -> _Decorated:
        command = click.option("--number", help="Number of the document, matched exactly.")(command)
        command = click.option("--id", "id_", metavar="ID", help=f"Id of {of}, matched exactly.")(command)
        kind = click.option("--type", "kind", type=choice(DocumentType), required=is_required, help="Document type.")
        return kind(command)

    return decorate


def request_options(command: _Decorated) -> _Decorated:
    """The document and the two flags."""
    command = click.option("--only-re-send", is_flag=True, help="onlyReSend=true: send what is stored.")(command)
    flag = click.option("--re-migrate", is_flag=True, help="reMigrate=true: override what is stored, and send it.")
    return reference_options(is_required=True)(flag(command))


def name_checked(ctx: click.Context, option: str, value: str | None) -> None:
    """Refuse as wrong usage what can't be an id or a number: nothing would ever be found by it (REQ-7)."""
    fault = None if value is None else name_fault(value)
    if fault is not None:
        raise click.UsageError(f"{option} {fault}. Ids and numbers are matched as they are.", ctx)


def requested(
    ctx: click.Context, kind: DocumentType, id_: str | None, number: str | None, **flags: bool
) -> RegenerateRequest:
    """The request that the options state; one that can't be stated is wrong usage (REQ-4, REQ-7)."""
    if id_ is None and number is None:
        raise click.UsageError("Which document? Give --id or --number, or both.", ctx)
    try:
        return RegenerateRequest(type=kind, id=id_, number=number, **flags)
    except ValueError as fault:
        message = f"--{fault}. Ids and numbers are matched as they are."
        raise click.UsageError(message, ctx) from None
