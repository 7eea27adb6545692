"""What became of each check of a run, by what was found and by what the skips and xfails say of it."""

from __future__ import annotations

from collections.abc import Iterator

from attrs import define, field

from regen_core.testing.options import Options
from regen_core.testing.report import History, Outcome, Verdict

__all__ = ["Verdicts"]


@define
class Verdicts:
    """The verdicts of a run under way, by check; ``options`` are the run's."""

    options: Options
    told: dict[str, Verdict] = field(factory=dict, init=False)

    def is_skipped(self, check: str, rule_ids: tuple[str, ...], because: str | None, about: str | None = None) -> bool:
        """Whether a check isn't done: the skips name it, or there is a reason of its own; then that is its verdict."""
        reason = self.options.skips.get(check, because)
        if reason is not None:
            skipped = Outcome.SKIPPED
            self.told[check] = Verdict(
                id=check, rule_ids=rule_ids, outcome=skipped, exercised=0, reason=reason, about=about
            )
        return reason is not None

    def judge(
        self,
        check: str,
        rule_ids: tuple[str, ...],
        exercised: int,
        failed: History | None,
        about: str | None = None,
    ) -> None:
        """A check was done; ``exercised`` 0 means that nothing was at stake."""
        reason = self.options.xfails.get(check)
        if failed is not None:
            outcome = Outcome.FAILED if reason is None else Outcome.XFAILED
        else:
            outcome = Outcome.XPASSED if reason is not None else Outcome.PASSED if exercised else Outcome.NEVER
        self.told[check] = Verdict(
            id=check,
            rule_ids=rule_ids,
            outcome=outcome,
            exercised=exercised,
            reason=reason,
            history=failed,
            about=about,
        )

    def complaints(self) -> Iterator[str]:
        """Entries of the lists that name no check."""
        for name, entries in (("skips", self.options.skips), ("xfails", self.options.xfails)):
            for each in entries:
                if each not in self.told:
                    yield f"{name}: {each!r} names no check. Take the entry out, or correct it."
