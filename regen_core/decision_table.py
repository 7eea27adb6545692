"""The decision tables as data: flags to mode (TBL-M), what is written (TBL-W), what Revenue is told (TBL-S).

Rules for maintainers. All that decides about a line stands in these three tables, every cell written out, even where
cells repeat. What is not a table: which items can be mapped (``type_mapping``), which request is refused
(``refusals``). Code elsewhere that asks for a mode or a flag has a rule in the wrong place. A table is a value: hand
another one to ``decide`` and you get another operation, which is how the tests break one cell at a time.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum, IntEnum, unique
from typing import Any, Final

from attrs import field, frozen

from regen_core.transactions import Standing

__all__ = [
    "DECISION_TABLE",
    "DecisionTable",
    "Mode",
    "ModeRule",
    "ModeRulings",
    "Presence",
    "RegenerateFlag",
    "Ruling",
    "SendAction",
    "SendRule",
    "WriteAction",
    "WriteRule",
]


@unique
class Mode(Enum):
    """What a request asks for: the name that TBL-M gives to a pair of flags."""

    GENERATE = "GENERATE"
    REMIGRATE = "REMIGRATE"
    RESEND = "RESEND"


@unique
class RegenerateFlag(Enum):
    """Tells Revenue whether to re-collect what it already holds: ``Y`` or ``N``."""

    N = "N"
    Y = "Y"

    __hash__ = object.__hash__  # as DocumentType


class Presence(IntEnum):
    """Item and stored transaction of one line: the columns of TBL-W."""

    ITEM_ONLY = 0
    PRESENT_ACTIVE = 1
    PRESENT_VOIDED = 2
    GONE_ACTIVE = 3
    GONE_VOIDED = 4


@unique
class WriteAction(Enum):
    """What happens to a line's stored transaction."""

    GENERATE = "generate"
    OVERRIDE = "override"
    VOID = "void"
    KEEP = "keep"
    SKIP = "skip"


@unique
class SendAction(Enum):
    """What Revenue is told of a line."""

    LINE = "line"
    VOID = "void"
    NOTHING = "nothing"

    __hash__ = object.__hash__  # as DocumentType


@frozen
class ModeRule:
    """A row of TBL-M; ``mode`` and ``flag`` are ``None`` where the pair of flags is refused (REQ-5).

    ``may_say_nothing`` tells whether a request that sends nothing succeeds; for a resend it doesn't (ELI-2).
    """

    id: str
    mode: Mode | None
    flag: RegenerateFlag | None
    may_say_nothing: bool


@frozen
class WriteRule:
    """A cell of TBL-W."""

    id: str
    action: WriteAction


@frozen
class SendRule:
    """A cell of TBL-S."""

    id: str
    action: SendAction


@frozen
class Ruling:
    """What the tables say of one line: the cell of TBL-W and, for a line that exists after it, the cell of TBL-S."""

    flag: RegenerateFlag
    write: WriteRule
    send: SendRule | None
    writes: bool = field(init=False, eq=False, repr=False)
    """Whether the line's transaction is created or changed."""
    message: SendAction = field(init=False, eq=False, repr=False)
    """What Revenue is told; nothing of a line that doesn't exist."""
    sends: bool = field(init=False, eq=False, repr=False)
    """Whether Revenue is told anything."""
    acts: bool = field(init=False, eq=False, repr=False)
    """Whether anything happens to the line: it is written, sent or both."""

    @writes.default
    def _writes(self) -> bool:
        return self.write.action not in (WriteAction.KEEP, WriteAction.SKIP)

    @message.default
    def _message(self) -> SendAction:
        return SendAction.NOTHING if self.send is None else self.send.action

    @sends.default
    def _sends(self) -> bool:
        return self.message is not SendAction.NOTHING

    @acts.default
    def _acts(self) -> bool:
        return self.writes or self.sends

    @property
    def rule_ids(self) -> tuple[str, ...]:
        """The ids of the cells, in the order in which they were asked."""
        return (self.write.id,) if self.send is None else (self.write.id, self.send.id)


@frozen
class ModeRulings:
    """TBL-W and TBL-S composed for one mode: a ruling for every presence and every standing after the write.

    ``cells`` is flat, at ``4 * presence + standing``; ``keeps_stored`` tells that no stored transaction is written, so
    that the standing after the write is the standing before it.
    """

    rule: ModeRule
    cells: tuple[Ruling, ...]
    keeps_stored: bool

    def at(self, presence: Presence, standing: Standing) -> Ruling:
        """The ruling of one cell."""
        return self.cells[4 * presence + standing]


@frozen
class DecisionTable:
    """The three tables together, and their composition by flags.

    ``modes`` is keyed by (onlyReSend, reMigrate). Raises ``ValueError`` where a cell is missing: a table is total.

    >>> DECISION_TABLE.modes[False, True].mode
    <Mode.REMIGRATE: 'REMIGRATE'>
    >>> resend = DECISION_TABLE.rulings[True, False]
    >>> resend.at(Presence.PRESENT_ACTIVE, Standing.LIVE_EVER_SENT).rule_ids
    ('TBL-W12', 'TBL-S6')
    """

    modes: Mapping[tuple[bool, bool], ModeRule]
    writes: Mapping[tuple[Mode, Presence], WriteRule]
    sends: Mapping[tuple[RegenerateFlag, Standing], SendRule]
    rulings: Mapping[tuple[bool, bool], ModeRulings | None] = field(init=False, eq=False, repr=False)
    """By (onlyReSend, reMigrate); ``None`` where the flags are refused."""

    @rulings.default
    def _compose(self) -> Mapping[tuple[bool, bool], ModeRulings | None]:
        self._check_total()
        return {flags: self._rulings_of(rule) for flags, rule in self.modes.items()}

    def _rulings_of(self, rule: ModeRule) -> ModeRulings | None:
        if rule.mode is None or rule.flag is None:
            return None
        cells = tuple(
            self._ruling(rule.flag, self.writes[rule.mode, presence], standing)
            for presence in Presence
            for standing in Standing
        )
        return ModeRulings(rule, cells, not any(ruling.writes for ruling in cells[4 * Presence.PRESENT_ACTIVE :]))

    def _ruling(self, flag: RegenerateFlag, write: WriteRule, standing: Standing) -> Ruling:
        return Ruling(flag, write, None if write.action is WriteAction.SKIP else self.sends[flag, standing])

    def _check_total(self) -> None:
        wanted: tuple[tuple[str, Mapping[Any, Any], set[Any]], ...] = (
            ("modes", self.modes, {(a, b) for a in (False, True) for b in (False, True)}),
            ("writes", self.writes, {(mode, presence) for mode in Mode for presence in Presence}),
            ("sends", self.sends, {(flag, standing) for flag in RegenerateFlag for standing in Standing}),
        )
        for name, table, cells in wanted:
            if set(table) != cells:
                raise ValueError(f"{name} is not total: missing {cells - set(table)}, unknown {set(table) - cells}")


_N, _Y = RegenerateFlag.N, RegenerateFlag.Y
_M, _P, _S = Mode, Presence, Standing
_W, _D = WriteAction, SendAction

DECISION_TABLE: Final = DecisionTable(
    modes={
        # onlyReSend, reMigrate
        (False, False): ModeRule("TBL-M1", Mode.GENERATE, _N, may_say_nothing=True),
        (False, True): ModeRule("TBL-M2", Mode.REMIGRATE, _Y, may_say_nothing=True),
        (True, False): ModeRule("TBL-M3", Mode.RESEND, _Y, may_say_nothing=False),
        (True, True): ModeRule("TBL-M4", None, None, may_say_nothing=False),
    },
    writes={
        (_M.GENERATE, _P.ITEM_ONLY): WriteRule("TBL-W1", _W.GENERATE),
        (_M.GENERATE, _P.PRESENT_ACTIVE): WriteRule("TBL-W2", _W.KEEP),
        (_M.GENERATE, _P.PRESENT_VOIDED): WriteRule("TBL-W3", _W.KEEP),
        (_M.GENERATE, _P.GONE_ACTIVE): WriteRule("TBL-W4", _W.KEEP),
        (_M.GENERATE, _P.GONE_VOIDED): WriteRule("TBL-W5", _W.KEEP),
        (_M.REMIGRATE, _P.ITEM_ONLY): WriteRule("TBL-W6", _W.GENERATE),
        (_M.REMIGRATE, _P.PRESENT_ACTIVE): WriteRule("TBL-W7", _W.OVERRIDE),
        (_M.REMIGRATE, _P.PRESENT_VOIDED): WriteRule("TBL-W8", _W.OVERRIDE),
        (_M.REMIGRATE, _P.GONE_ACTIVE): WriteRule("TBL-W9", _W.VOID),
        (_M.REMIGRATE, _P.GONE_VOIDED): WriteRule("TBL-W10", _W.KEEP),
        (_M.RESEND, _P.ITEM_ONLY): WriteRule("TBL-W11", _W.SKIP),
        (_M.RESEND, _P.PRESENT_ACTIVE): WriteRule("TBL-W12", _W.KEEP),
        (_M.RESEND, _P.PRESENT_VOIDED): WriteRule("TBL-W13", _W.KEEP),
        (_M.RESEND, _P.GONE_ACTIVE): WriteRule("TBL-W14", _W.KEEP),
        (_M.RESEND, _P.GONE_VOIDED): WriteRule("TBL-W15", _W.KEEP),
    },
    sends={
        (_N, _S.LIVE_NEVER_SENT): SendRule("TBL-S1", _D.LINE),
        (_N, _S.LIVE_EVER_SENT): SendRule("TBL-S2", _D.LINE),
        (_N, _S.NOT_LIVE_NEVER_SENT): SendRule("TBL-S3", _D.NOTHING),
        (_N, _S.NOT_LIVE_EVER_SENT): SendRule("TBL-S4", _D.NOTHING),
        (_Y, _S.LIVE_NEVER_SENT): SendRule("TBL-S5", _D.LINE),
        (_Y, _S.LIVE_EVER_SENT): SendRule("TBL-S6", _D.LINE),
        (_Y, _S.NOT_LIVE_NEVER_SENT): SendRule("TBL-S7", _D.NOTHING),
        (_Y, _S.NOT_LIVE_EVER_SENT): SendRule("TBL-S8", _D.VOID),
    },
)
"""The operation as documented and interpreted: TBL-M, TBL-W, TBL-S."""
