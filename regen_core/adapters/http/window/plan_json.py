"""A plan as JSON for the page: the explanation as programs get it, and beside it the words that people read."""

from __future__ import annotations

from typing import Any

from regen_core.adapters.http.window.view_json import changes_told, label_of, rules_json
from regen_core.decision_table import DECISION_TABLE
from regen_core.explain import explain, explain_refusal, explanation_as_json, refusal_as_json
from regen_core.explain.sentences import totals
from regen_core.plain_values import plain
from regen_core.refusals import Refusal
from regen_core.regeneration import Regeneration

__all__ = ["modes_json", "plan_json"]

JsonObject = dict[str, Any]


def plan_json(outcome: Regeneration | Refusal) -> JsonObject:
    """What a request would do and why, or why it is refused."""
    if not isinstance(outcome, Regeneration):
        return {"outcome": "refused", "refusal": refusal_as_json(explain_refusal(outcome))}
    explanation = explain(outcome)
    told = explanation_as_json(explanation)
    for line, explained in zip(told["lines"], explanation.lines, strict=True):
        before = explained.line.before
        line["label"] = label_of(explained.line.item or (None if before is None else before.transaction.item))
        line["changes_told"] = changes_told(explained.changes)
    return {"outcome": "planned", "summary": totals(explanation, is_done=False).text, "explanation": told}


def modes_json() -> list[JsonObject]:
    """TBL-M: what each pair of flags means."""
    return [
        {
            "onlyReSend": only_re_send,
            "reMigrate": re_migrate,
            "rule": rules_json((row.id,))[0],
            "mode": plain(row.mode),
            "regenerate_flag": plain(row.flag),
        }
        for (only_re_send, re_migrate), row in DECISION_TABLE.modes.items()
    ]
