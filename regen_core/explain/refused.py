"""Why a request was refused: the refusal with the register's words for its rules, as a value."""

from __future__ import annotations

from attrs import frozen

from regen_core.refusals import Refusal
from regen_core.rules import Rule, rule

__all__ = ["ExplainedRefusal", "explain_refusal"]


@frozen
class ExplainedRefusal:
    """A refusal and the rules that it rests on."""

    refusal: Refusal
    rules: tuple[Rule, ...]


def explain_refusal(refusal: Refusal) -> ExplainedRefusal:
    """The refusal with its rules in the register's words.

    >>> from regen_core.refusals import NothingToResend
    >>> [each.id for each in explain_refusal(NothingToResend(items=1, stored=0)).rules]
    ['ELI-2']
    """
    return ExplainedRefusal(refusal, tuple(rule(each) for each in refusal.rule_ids))
