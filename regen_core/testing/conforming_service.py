"""A run of the kit on a service over HTTP: the same report, with every failure as lines for ``curl``."""

from __future__ import annotations

import time

from attrs import evolve

from regen_core.testing.conformance import Options
from regen_core.testing.http_checks import HTTP_CHECKS, HttpCheck
from regen_core.testing.over_http import Service
from regen_core.testing.report import History, Outcome, Report, Verdict

__all__ = ["conform_service", "performed_check"]

_NO_DOCUMENT = "needs a posted document: name one of a sandbox with --document TYPE:ID"


def performed_check(service: Service, check: HttpCheck) -> History | None:
    """How a check fails, ``None`` where it doesn't."""
    service.sent.clear()
    try:
        check.perform(service)
    except AssertionError as error:
        calls = tuple([{"curl": each} for each in service.sent])
        words = (check.told, *service.sent)
        return History(check=check.id, seed=0, steps=(), words=words, calls=calls, found=str(error))
    return None


def conform_service(service: Service, options: Options | None = None) -> Report:
    """Log in and run every check; those that need a document are skipped without one."""
    options, began = options or Options(), time.perf_counter()
    service.log_in()
    verdicts = tuple([_verdict(service, check, options) for check in HTTP_CHECKS])
    known = {each.id for each in HTTP_CHECKS}
    stale = [each for each in (*options.skips, *options.xfails) if each not in known]
    lacking = {"store": "over HTTP only: no laws of Revenue, no tables, no corpus"}
    return Report(
        subject=service.url,
        seed=0,
        histories=0,
        steps=0,
        seconds=time.perf_counter() - began,
        verdicts=verdicts,
        rows={},
        lacking=lacking if service.document else {**lacking, "document": _NO_DOCUMENT},
        complaints=tuple(
            [f"{each!r} names no check of a service. Take the entry out, or correct it." for each in stale]
        ),
    )


def _verdict(service: Service, check: HttpCheck, options: Options) -> Verdict:
    because = _NO_DOCUMENT if check.needs_document and service.document is None else None
    reason = options.skips.get(check.id, because)
    told = Verdict(id=check.id, rule_ids=check.rule_ids, outcome=Outcome.SKIPPED, exercised=0, reason=reason)
    if reason is not None:
        return told
    failed, expected = performed_check(service, check), options.xfails.get(check.id)
    if failed is None:
        outcome = Outcome.PASSED if expected is None else Outcome.XPASSED
    else:
        outcome = Outcome.FAILED if expected is None else Outcome.XFAILED
    return evolve(told, outcome=outcome, exercised=1, reason=expected, history=failed)
