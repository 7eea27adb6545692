"""A run of the kit on a service over HTTP: the same report, with every failure as lines for ``curl``."""

from __future__ import annotations

import time

from regen_core.testing.http_checks import HTTP_CHECKS, HttpCheck, NotExercised
from regen_core.testing.options import Options
from regen_core.testing.over_http import Service
from regen_core.testing.report import History, Report
from regen_core.testing.verdicts import Verdicts

__all__ = ["ask_by_hand", "conform_service", "performed_check"]

_NO_DOCUMENT = "needs a posted document: name one of a sandbox with --document TYPE:ID"
_NO_STORE = "requests alone: no laws of Revenue, no tables, no corpus; say with --store what is behind the service"


def performed_check(service: Service, check: HttpCheck) -> History | None:
    """How a check fails, ``None`` where it doesn't; raises :class:`NotExercised` where nothing was at stake."""
    service.sent.clear()
    try:
        check.perform(service)
    except AssertionError as error:
        calls = tuple([{"curl": each} for each in service.sent])
        words, curl = (check.told, *service.sent), tuple(service.sent)
        return History(check=check.id, seed=0, steps=(), words=words, calls=calls, found=str(error), curl=curl)
    return None


def ask_by_hand(service: Service, verdicts: Verdicts) -> None:
    """Every check of a service that is logged in; those that need a document are skipped without one."""
    for check in HTTP_CHECKS:
        because = _NO_DOCUMENT if check.needs_document and service.document is None else None
        if not verdicts.is_skipped(check.id, check.rule_ids, because, check.told):
            try:
                verdicts.judge(check.id, check.rule_ids, 1, performed_check(service, check), check.told)
            except NotExercised:
                verdicts.judge(check.id, check.rule_ids, 0, None, check.told)


def conform_service(service: Service, options: Options | None = None) -> Report:
    """Log in and check what requests alone show."""
    verdicts, began = Verdicts(options or Options()), time.perf_counter()
    service.log_in()
    ask_by_hand(service, verdicts)
    lacking = {"store": _NO_STORE}
    return Report(
        subject=service.url,
        seed=0,
        histories=0,
        steps=0,
        seconds=time.perf_counter() - began,
        verdicts=tuple(verdicts.told.values()),
        rows={},
        lacking=lacking if service.document else {**lacking, "document": _NO_DOCUMENT},
        complaints=tuple(verdicts.complaints()),
    )
