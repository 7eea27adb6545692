"""``regen plan`` and ``regen run``: ask the store what a request does, or have it done, and say why."""

from __future__ import annotations

import json
import sys
import uuid
from collections.abc import Sequence
from typing import Any

import click

from regen_core.adapters.cli.choices import faultless
from regen_core.adapters.cli.connecting import occasion, opened
from regen_core.adapters.cli.faults import ExitCode
from regen_core.adapters.cli.output import output_for
from regen_core.adapters.cli.references import request_options, requested
from regen_core.adapters.cli.settings import RegenCommand, Settings, settings_of
from regen_core.documents import DocumentType
from regen_core.explain.as_json import explanation_as_json, refusal_as_json
from regen_core.explain.blocks import Block, Line, Tone
from regen_core.explain.refused import ExplainedRefusal, explain_refusal
from regen_core.explain.regenerations import explain
from regen_core.explain.sentences import described, refused, summarised
from regen_core.idempotency import Replay, key_fault
from regen_core.ports import Answer, IdempotentCall
from regen_core.refusals import DocumentNotFound, Refusal
from regen_core.regeneration import Regeneration
from regen_core.request import RegenerateRequest
from regen_core.rules import rule
from regen_core.wire.answers import error_body, success_body

__all__ = ["plan", "run"]

CLIENT = "regen"
"""The client that Idempotency-Keys given on the command line belong to (IDM-5)."""

_explaining = click.option(
    "-v",
    "--explain",
    "is_explained",
    is_flag=True,
    help="Say all: rules in words, before and after, drift, assumptions.",
)


@click.command(cls=RegenCommand)
@request_options
@_explaining
@click.pass_context
def plan(
    ctx: click.Context, /, kind: DocumentType, id_: str | None, number: str | None, is_explained: bool, **flags: bool
) -> ExitCode:
    """Say what a request would write and send, and why. Nothing is changed.

    \b
    Examples:
      regen plan --type Invoice --number INV00000104
      regen plan --type Invoice --number INV00000104 --re-migrate --explain
    """
    settings, request = settings_of(ctx), requested(ctx, kind, id_, number, **flags)
    with opened(settings.db) as store:
        outcome = store.plan(settings.scope, request)
    if not isinstance(outcome, Regeneration):
        return _refuse(settings, request, outcome)
    return _show(settings, outcome, is_explained=is_explained, is_done=False)


@click.command(cls=RegenCommand)
@request_options
@_explaining
@click.option(
    "--idempotency-key",
    "key",
    callback=faultless(key_fault),
    help="Repeating a request under its key changes nothing.",
)
@click.pass_context
def run(
    ctx: click.Context,
    /,
    kind: DocumentType,
    id_: str | None,
    number: str | None,
    is_explained: bool,
    key: str | None,
    **flags: bool,
) -> ExitCode:
    """Regenerate the billing transactions of one document, and print the idList.

    What is to be sent waits in the outbox for 'regen deliver'.

    \b
    Examples:
      regen run --type Invoice --number INV00000104
      regen run --type Invoice --number INV00000104 --re-migrate \\
                --idempotency-key fix-104
    """
    settings, request = settings_of(ctx), requested(ctx, kind, id_, number, **flags)
    call = None if key is None else IdempotentCall(client=CLIENT, key=key, answer=_answer)
    with opened(settings.db) as store:
        outcome = store.regenerate(settings.scope, request, occasion(), idempotent=call)
    if isinstance(outcome, Replay):
        return _replay(settings, outcome)
    if not isinstance(outcome, Regeneration):
        return _refuse(settings, request, outcome, to_stderr=True)
    return _show(settings, outcome, is_explained=is_explained, is_done=True)


def _answer(outcome: Regeneration | Refusal) -> Answer:
    """What is saved under the key: the answer that the operation gives over the wire (IDM-1)."""
    if isinstance(outcome, Regeneration):
        return Answer(200, success_body(outcome.id_list))
    body = error_body(outcome, process_id=uuid.uuid4().hex.upper()[:16], request_id=str(uuid.uuid4()))
    return Answer(outcome.http_status, body)


def _show(settings: Settings, done: Regeneration, *, is_explained: bool, is_done: bool) -> ExitCode:
    explanation = explain(done)
    tell = described if is_explained else summarised
    blocks: list[Block] = list(tell(explanation, is_done=is_done))
    if is_done:
        blocks += _id_list(done.id_list)
    value = explanation_as_json(explanation)
    settings.output.show(blocks, {"success": True, "idList": value.pop("id_list"), "is_done": is_done, **value})
    return ExitCode.DONE


def _id_list(ids: Sequence[str]) -> list[Line]:
    return [Line(each, "idList") for each in ids] or [Line("empty", "idList", Tone.QUIET)]


def _refuse(settings: Settings, request: RegenerateRequest, refusal: Refusal, *, to_stderr: bool = False) -> ExitCode:
    """Print a refusal: of a plan it is the result, of a run it is what went wrong."""
    explained = explain_refusal(refusal)
    output = output_for(sys.stderr, as_json=False) if to_stderr and not settings.as_json else settings.output
    told = _searched(settings, request, explained) if isinstance(refusal, DocumentNotFound) else refused(explained)
    output.show(told, {"success": False, "refusal": refusal_as_json(explained)})
    return ExitCode.REFUSED


def _searched(settings: Settings, request: RegenerateRequest, explained: ExplainedRefusal) -> tuple[Line, ...]:
    """A document that isn't found, told to a local operator: where it was looked for, and the rule that matters."""
    names = [f"{name} {value!r}" for name, value in (("id", request.id), ("number", request.number)) if value]
    orgs = f"org {' or '.join(map(repr, settings.orgs))}" if settings.orgs else "any org"
    where = f"tenant {settings.tenant!r}, entity {settings.entity!r}, {orgs}"
    message = f"There is no {request.type.value} with {' and '.join(names)} in {where}. Check each; case matters."
    matters = "REQ-4" if len(names) > 1 else "ACC-4" if settings.orgs else "REQ-7"
    return refused(ExplainedRefusal(explained.refusal, (rule(matters),)), message)


def _replay(settings: Settings, replay: Replay) -> ExitCode:
    """Print the first result under a key once more (IDM-1, IDM-8)."""
    saved: dict[str, Any] = json.loads(replay.body)
    blocks = [
        Line("Replayed: this key's first result once more. Nothing was written or sent (IDM-8).", tone=Tone.WARNING)
    ]
    blocks += [
        Line(f"refused: {each['message']} ({each['code']})", tone=Tone.REFUSED) for each in saved.get("reasons", ())
    ]
    if saved["success"]:
        blocks += _id_list(saved["idList"])
    settings.output.show(blocks, {**saved, "is_replayed": True})
    return ExitCode.DONE if saved["success"] else ExitCode.REFUSED
