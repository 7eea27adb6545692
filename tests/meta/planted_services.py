"""Services that are deliberately wrong, each in one thing that goes wrong between a socket and a store."""

from __future__ import annotations

import gzip
import json
from typing import Any
from urllib.parse import parse_qsl, urlencode

from attrs import evolve

from regen_core.access import Scope
from regen_core.adapters.http.execution import Executor, Outcome, Work
from regen_core.calls import IdempotentCall
from regen_core.refusals import DocumentNotFound, PermissionDenied
from tests.meta.planted_keys import ExecutesAgain, Keyed, ReplaysExpiredKeys
from tests.meta.serving import Answered, Served

__all__ = ["BROKEN_SERVICES"]


class AnswersCreated(Served):
    """A success has the status 201."""

    def answered(self, answer: Answered) -> Answered:
        return evolve(answer, status=201) if answer.status == 200 else answer


class RefusesWithOk(Served):
    """What isn't found is a 200 that says it was none."""

    def answered(self, answer: Answered) -> Answered:
        return evolve(answer, status=200) if answer.status == 404 else answer


class SwapsTheFlags(Served):
    """onlyReSend is read as reMigrate, and the reverse."""

    def asked(self, query: str) -> str:
        return query.replace("onlyReSend", "-").replace("reMigrate", "onlyReSend").replace("-", "reMigrate")


class IgnoresReMigrate(Served):
    """One flag gets lost on its way."""

    def asked(self, query: str) -> str:
        return _query([each for each in parse_qsl(query) if each[0] != "reMigrate"])


class TakesTheFirstFlag(Served):
    """Of both flags the first one counts."""

    def asked(self, query: str) -> str:
        return _query(parse_qsl(query)[:1])


class IgnoresWhatItDoesntKnow(Served):
    """A misspelt parameter is no parameter."""

    def asked(self, query: str) -> str:
        return _query([each for each in parse_qsl(query) if each[0] in {"onlyReSend", "reMigrate"}])


class ReadsFlagsInOneCase(Served):
    """TRUE is not true, and so it is false."""

    def asked(self, query: str) -> str:
        return _query([(name, "true" if value == "true" else "false") for name, value in parse_qsl(query)])


class LooksBeforeItReadsTheFlags(Served):
    """A document that isn't there is told before flags that exclude each other."""

    def answered(self, answer: Answered) -> Answered:
        told = b'"code":50000027,"message":"onlyReSend' in answer.body.replace(b" ", b"")
        both = b"exclude each other" in answer.body or told
        body = answer.body.replace(b"50000027", b"50000040")
        return evolve(answer, status=404, body=body) if both else answer


class ReplaysAnotherBody(Served):
    """A replay has the same words, written anew."""

    def answered(self, answer: Answered) -> Answered:
        is_replay = answer.header("idempotent-replayed") is not None
        return evolve(answer, body=json.dumps(json.loads(answer.body)).encode()) if is_replay else answer


class ReplaysUnmarked(Served):
    """A replay looks like a first answer."""

    def answered(self, answer: Answered) -> Answered:
        return evolve(answer, headers=answer.without("idempotent-replayed"))


class ForgetsTheKey(Served):
    """The header is accepted and not looked at."""

    def executed(self, work: Work) -> Outcome:
        return super().executed(evolve(work, idempotent=None))


class _OneSetOfKeys(Keyed):
    def name_of(self, scope: Scope, call: IdempotentCall) -> object:
        return call.key


class SharesKeysAmongTenants(Served):
    """A key belongs to whoever used it first."""

    makes = _OneSetOfKeys


class ReplaysWhatExpired(Served):
    """A key lives for ever."""

    makes = ReplaysExpiredKeys


class ExecutesBeforeItReplays(Served):
    """A repeat hears the first answer, and everything is done once more."""

    makes = ExecutesAgain


class _Unguarded(Keyed):
    """Looks at the key when a request comes, and writes when it is its turn."""

    def heard_again(self, *args: Any) -> Any:
        return None


class ExecutesAllAtOnce(Served):
    """Nobody keeps equal requests from each other."""

    makes = _Unguarded

    def around(self, executor: Executor) -> Executor:
        return executor


class SaysNotWhenToComeAgain(Served):
    """Whoever meets the first request under a key isn't told when to repeat it."""

    def answered(self, answer: Answered) -> Answered:
        return evolve(answer, headers=answer.without("retry-after"))


class TellsOfOthersDocuments(Served):
    """What is there and can't be seen is forbidden rather than not found."""

    def executed(self, work: Work) -> Outcome:
        outcome = super().executed(work)
        named = [
            (each.document.id, each.document.header.number) for each in self.store.transaction_store.documents.values()
        ]
        is_there = any(work.request.id == name or work.request.number == number for name, number in named)
        return PermissionDenied("to see it") if isinstance(outcome, DocumentNotFound) and is_there else outcome


class ForgetsTheOrgs(Served):
    """Organisations narrow nothing."""

    def executed(self, work: Work) -> Outcome:
        return super().executed(evolve(work, scope=evolve(work.scope, orgs=None)))


class ForgetsTheEntity(Served):
    """Every request is for the first entity."""

    def executed(self, work: Work) -> Outcome:
        return super().executed(evolve(work, scope=evolve(work.scope, entity="e1")))


class IgnoresTheCaseOfNumbers(Served):
    """A number is looked up in a column that knows no case."""

    def executed(self, work: Work) -> Outcome:
        numbers = [each.document.header.number for each in self.store.transaction_store.documents.values()]
        asked = work.request.number
        same = [
            each for each in numbers if asked is not None and asked not in numbers and each.lower() == asked.lower()
        ]
        return super().executed(evolve(work, request=evolve(work.request, number=same[0])) if same else work)


class AnswersWithoutIds(Served):
    """What was written isn't listed."""

    def answered(self, answer: Answered) -> Answered:
        return _with_ids(answer, lambda _: [])


class ListsInReverse(Served):
    """The last line comes first."""

    def answered(self, answer: Answered) -> Answered:
        return _with_ids(answer, lambda ids: ids[::-1])


class CompressesEverything(Served):
    """Every answer is gzip, whether or not anybody asked for that."""

    def answered(self, answer: Answered) -> Answered:
        headers = (*answer.headers, ("content-encoding", "gzip"))
        return evolve(answer, headers=headers, body=gzip.compress(answer.body))


class WritesCodesAsText(Served):
    """A code is a text of digits."""

    def answered(self, answer: Answered) -> Answered:
        told = json.loads(answer.body)
        if told.get("success") is False:
            for reason in told["reasons"]:
                reason["code"] = str(reason["code"])
        return evolve(answer, body=json.dumps(told).encode())


class RepeatsRequestIds(Served):
    """A request id names the process."""

    def answered(self, answer: Answered) -> Answered:
        headers = (*answer.without("zuora-request-id"), ("zuora-request-id", "0" * 36))
        return evolve(answer, headers=headers)


class LosesTrackIds(Served):
    """What a client tracks its requests by doesn't come back."""

    def answered(self, answer: Answered) -> Answered:
        return evolve(answer, headers=answer.without("zuora-track-id"))


def _query(pairs: list[tuple[str, str]]) -> str:
    return urlencode(pairs)


def _with_ids(answer: Answered, change: Any) -> Answered:
    if answer.status != 200:
        return answer
    told = json.loads(answer.body)
    return evolve(answer, body=json.dumps({**told, "idList": change(told["idList"])}).encode())


_REMIGRATE = "corpus tables: live and sent: remigrate"

BROKEN_SERVICES: dict[type[Served], set[str]] = {
    AnswersCreated: {"http CNV-5", "DOC-1"},
    RefusesWithOk: {"http REQ-7", "ACC-4 sight"},
    SwapsTheFlags: {_REMIGRATE},
    IgnoresReMigrate: {_REMIGRATE},
    TakesTheFirstFlag: {"http REQ-5", "http PRE-1"},
    IgnoresWhatItDoesntKnow: {"http REQ-6 unknown"},
    ReadsFlagsInOneCase: {"http REQ-6 flags"},
    LooksBeforeItReadsTheFlags: {"http REQ-5", "http PRE-1", "IDM-6 not saved"},
    ReplaysAnotherBody: {"IDM-1", "http IDM-6"},
    ReplaysUnmarked: {"IDM-1", "http IDM-1", "http IDM-6"},
    ForgetsTheKey: {"IDM-1", "http IDM-4", "http IDM-6"},
    SharesKeysAmongTenants: {"IDM-5 tenant", "IDM-5 client"},
    ReplaysWhatExpired: {"IDM-2", "IDM-2 another meaning"},
    ExecutesBeforeItReplays: {"IDM-8"},
    ExecutesAllAtOnce: {"IDM-3 threads", "http IDM-3"},
    SaysNotWhenToComeAgain: {"http IDM-3"},
    TellsOfOthersDocuments: {"ACC-4 sight"},
    ForgetsTheOrgs: {"ACC-4 sight", "IDM-6 visible"},
    ForgetsTheEntity: {"ACC-4 sight"},
    IgnoresTheCaseOfNumbers: {"REQ-7"},
    AnswersWithoutIds: {_REMIGRATE},
    ListsInReverse: {_REMIGRATE},
    CompressesEverything: {"http REQ-10"},
    WritesCodesAsText: {"http PRE-2", "http REQ-7"},
    RepeatsRequestIds: {"http REQ-12"},
    LosesTrackIds: {"http REQ-9"},
}
"""Each mistake with the checks that must notice it, all of them."""
