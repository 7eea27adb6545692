"""Every way in which the operation can be refused: a closed union of values, listed in the order in which they win.

Of several faults the first in this order is reported; the order is law (PRE-1). Names and codes are never changed.
``code`` is the 6-digit resource code followed by the 2-digit category (PRE-2, *Error codes*). A refusal changes nothing
in any store (PRE-4). A value of the caller's never appears in a message, an unknown name only escaped and cut.
"""

from __future__ import annotations

import json
from typing import ClassVar, Final, get_args

from attrs import frozen

from regen_core.documents import DocumentType

__all__ = [
    "ConcurrentModification",
    "ConflictingFlags",
    "DocumentNotFound",
    "DocumentNotPosted",
    "DocumentReferenceMismatch",
    "EntityNotAccessible",
    "EntityRequired",
    "IdempotencyKeyInProgress",
    "IdempotencyKeyReused",
    "InternalFault",
    "InvalidField",
    "InvalidHeader",
    "InvalidParameter",
    "LimitExceeded",
    "MethodNotAllowed",
    "MissingField",
    "NothingToResend",
    "OrgNotAccessible",
    "PayloadTooLarge",
    "PermissionDenied",
    "REFUSALS",
    "RESOURCE_CODE",
    "Refusal",
    "TRANSIENT_CATEGORIES",
    "TemporaryFault",
    "Unauthenticated",
    "UnknownField",
    "UnknownPath",
    "UnmappableItem",
    "UnmappedItem",
    "UnreadableBody",
    "UnsupportedEncoding",
    "shown",
]

RESOURCE_CODE: Final = 500000
"""Zuora's code of an unknown object, until one for this operation is documented (PRE-2, interpretation)."""

TRANSIENT_CATEGORIES: Final = frozenset({50, 60, 61, 70, 99})
"""Categories that are worth a retry (PRE-3, *Error handling*)."""

MAX_SHOWN_NAME: Final = 64
"""Longest unknown name repeated in a message: enough to find a typo, too short to smuggle anything out."""


def shown(name: str) -> str:
    """A name of the caller's as it may appear in a message: JSON-escaped, at most 64 characters.

    >>> print(shown("onlyResend"))
    "onlyResend"
    """
    return json.dumps(name if len(name) <= MAX_SHOWN_NAME else name[: MAX_SHOWN_NAME - 1] + "…")


class _Refused:
    """What all refusals have in common; ``rank`` 0 comes before the ladder and ``None`` stands outside it."""

    __slots__ = ()
    rank: ClassVar[int | None]
    category: ClassVar[int]
    http_status: ClassVar[int]
    rule_ids: ClassVar[tuple[str, ...]]

    @property
    def name(self) -> str:
        """The stable name."""
        return type(self).__name__

    @property
    def code(self) -> int:
        """The 8-digit code: resource and category (PRE-2)."""
        return RESOURCE_CODE * 100 + self.category

    @property
    def is_transient(self) -> bool:
        """Whether the same request may succeed later (PRE-3)."""
        return self.category in TRANSIENT_CATEGORIES

    @property
    def message(self) -> str:
        """What was wrong, where, what was expected and what to do."""
        raise NotImplementedError


@frozen
class UnknownPath(_Refused):
    """The path is none of the service's."""

    rank, category, http_status, rule_ids = 0, 40, 404, ("REQ-1",)

    @property
    def message(self) -> str:
        return "There is no such path. The operation is POST /v1/uno-regenerate/billing-transaction."


@frozen
class MethodNotAllowed(_Refused):
    """The path is known, the method is not; ``allowed`` are the methods to use."""

    rank, category, http_status, rule_ids = 0, 45, 405, ("REQ-1",)
    allowed: tuple[str, ...] = ("POST",)

    @property
    def message(self) -> str:
        return f"This path answers {', '.join(self.allowed)} only. Send the request with that method."


@frozen
class PayloadTooLarge(_Refused):
    """The raw body is longer than ``limit`` bytes."""

    rank, category, http_status, rule_ids = 0, 20, 413, ("REQ-14",)
    limit: int

    @property
    def message(self) -> str:
        return f"The body is longer than {self.limit} bytes. Send one document reference per request."


@frozen
class UnsupportedEncoding(_Refused):
    """The content type isn't JSON or the content encoding isn't gzip; ``header`` says which."""

    rank, category, http_status, rule_ids = 0, 20, 415, ("REQ-10", "REQ-13")
    header: str

    @property
    def message(self) -> str:
        return f"The header {self.header} is not supported. Send application/json, plain or gzipped."


@frozen
class Unauthenticated(_Refused):
    """There is no valid bearer token; one answer for every cause."""

    rank, category, http_status, rule_ids = 1, 11, 401, ("REQ-11",)

    @property
    def code(self) -> int:
        """Zuora's documented code of invalid credentials."""
        return 90000011

    @property
    def message(self) -> str:
        return "Authentication failed. Send 'Authorization: Bearer {token}' with a token that has not expired."


@frozen
class PermissionDenied(_Refused):
    """The caller lacks a permission (ACC-1)."""

    rank, category, http_status, rule_ids = 2, 10, 403, ("ACC-1",)
    permission: str

    @property
    def message(self) -> str:
        return f"The caller lacks the permission '{self.permission}'. Ask an administrator for it."


@frozen
class EntityRequired(_Refused):
    """The token is valid for several entities and none was named (ACC-2)."""

    rank, category, http_status, rule_ids = 3, 10, 403, ("ACC-2",)

    @property
    def message(self) -> str:
        return "The caller has several entities. Name one of them in the header Zuora-Entity-Ids."


@frozen
class EntityNotAccessible(_Refused):
    """The named entity is not one that the caller may use, or several were named (ACC-2)."""

    rank, category, http_status, rule_ids = 3, 10, 403, ("ACC-2",)

    @property
    def message(self) -> str:
        return "Zuora-Entity-Ids does not name one entity that the caller may use. Name exactly one of them."


@frozen
class OrgNotAccessible(_Refused):
    """The named organisations are not a subset of the caller's (ACC-3)."""

    rank, category, http_status, rule_ids = 4, 10, 403, ("ACC-3",)

    @property
    def message(self) -> str:
        return "Zuora-Org-Ids is not a list of organisations that the caller may use. Correct it or leave it out."


@frozen
class LimitExceeded(_Refused):
    """A rate or concurrency limit is used up; ``retry_after`` in seconds."""

    rank, category, http_status, rule_ids = 5, 70, 429, ("REQ-12",)
    retry_after: int

    @property
    def message(self) -> str:
        return f"Too many requests. Send it again after {self.retry_after} s."


@frozen
class InvalidHeader(_Refused):
    """A header breaks its rule; ``header`` names it and ``expected`` says the rule (REQ-8, REQ-9)."""

    rank, category, http_status, rule_ids = 6, 20, 400, ("REQ-8", "REQ-9", "IDM-9")
    header: str
    expected: str

    @property
    def message(self) -> str:
        return f"The header {self.header} is not valid; expected {self.expected}."


@frozen
class UnreadableBody(_Refused):
    """The body is not one JSON object in strict UTF-8; ``fault`` says why (REQ-13, REQ-14)."""

    rank, category, http_status, rule_ids = 7, 90, 400, ("REQ-13", "REQ-14")
    fault: str

    @property
    def message(self) -> str:
        return f'The body cannot be read: {self.fault}. Send one JSON object such as {{"type": …, "id": …}}.'


@frozen
class InvalidParameter(_Refused):
    """A query parameter is unknown, given twice or not a boolean, or a flag stands in the body (REQ-6)."""

    rank, category, http_status, rule_ids = 8, 27, 400, ("REQ-6",)
    parameter: str
    fault: str

    @property
    def message(self) -> str:
        return f"The query parameter {shown(self.parameter)} {self.fault}."


@frozen
class ConflictingFlags(_Refused):
    """Both flags are true (REQ-5, TBL-M4)."""

    rank, category, http_status, rule_ids = 9, 27, 400, ("REQ-5", "TBL-M4")

    @property
    def message(self) -> str:
        return (
            "onlyReSend and reMigrate are both true. Choose one: onlyReSend sends what is stored, "
            "reMigrate overrides it from the document and sends it."
        )


@frozen
class UnknownField(_Refused):
    """The body holds a field that the operation doesn't have (REQ-6)."""

    rank, category, http_status, rule_ids = 10, 21, 400, ("REQ-6",)
    field: str

    @property
    def message(self) -> str:
        return f"The body field {shown(self.field)} is unknown. Known are: type, id, documentId, number."


@frozen
class MissingField(_Refused):
    """A required field is absent: the type, or both id and number (REQ-2, REQ-4)."""

    rank, category, http_status, rule_ids = 11, 22, 400, ("REQ-2", "REQ-4")
    field: str

    @property
    def message(self) -> str:
        return f"The body field {self.field} is missing. Give type, and id or number or both."


@frozen
class InvalidField(_Refused):
    """A body field breaks its rule; ``field`` names it and ``fault`` says how (REQ-2, REQ-3, REQ-7)."""

    rank, category, http_status, rule_ids = 12, 20, 400, ("REQ-2", "REQ-3", "REQ-7")
    field: str
    fault: str

    @property
    def message(self) -> str:
        return f"The body field {self.field} {self.fault}."


@frozen
class IdempotencyKeyInProgress(_Refused):
    """The first request under this key is still running (IDM-3); ``retry_after`` in seconds."""

    rank, category, http_status, rule_ids = 13, 50, 409, ("IDM-3",)
    retry_after: int = 1

    @property
    def message(self) -> str:
        return f"A request with this Idempotency-Key is still running. Send it again after {self.retry_after} s."


@frozen
class IdempotencyKeyReused(_Refused):
    """The key was used for a different request (IDM-4)."""

    rank, category, http_status, rule_ids = 14, 30, 422, ("IDM-4",)

    @property
    def message(self) -> str:
        return "This Idempotency-Key was used for a different request. Use a new key for a new request."


@frozen
class DocumentNotFound(_Refused):
    """No document of that type, id and number is visible to the caller (REQ-4, REQ-7, ACC-4)."""

    rank, category, http_status, rule_ids = 15, 40, 404, ("REQ-4", "REQ-7", "ACC-4")
    type: DocumentType

    @property
    def message(self) -> str:
        return f"There is no such {self.type.value}. Check type, id and number; they are matched exactly."


@frozen
class DocumentReferenceMismatch(_Refused):
    """Id and number are those of two documents (REQ-4)."""

    rank, category, http_status, rule_ids = 16, 20, 400, ("REQ-4",)
    type: DocumentType

    @property
    def message(self) -> str:
        return f"id and number name two different documents of type {self.type.value}. Correct one or leave it out."


@frozen
class DocumentNotPosted(_Refused):
    """The document is not posted, an adjustment not processed (ELI-1)."""

    rank, category, http_status, rule_ids = 17, 30, 400, ("ELI-1",)
    type: DocumentType
    expected: str

    @property
    def message(self) -> str:
        return f"The {self.type.value} does not have the status {self.expected}. Bring it there first."


@frozen
class UnmappedItem:
    """An item without a mapping and what was missing."""

    item_id: str
    because: str


@frozen
class UnmappableItem(_Refused):
    """Items that would be written but that no row of MAP covers: all of them, in document order (MAP-U)."""

    rank, category, http_status, rule_ids = 18, 30, 400, ("MAP-U",)
    items: tuple[UnmappedItem, ...]

    @property
    def message(self) -> str:
        told = "; ".join(f"item {shown(each.item_id)}: {each.because}" for each in self.items)
        return f"No revenue transaction type is defined for {told}. Nothing was written."


@frozen
class NothingToResend(_Refused):
    """A resend that would send nothing; the counts say why (ELI-2)."""

    rank, category, http_status, rule_ids = 19, 30, 400, ("ELI-2",)
    items: int
    stored: int

    @property
    def message(self) -> str:
        if not self.stored:
            return (
                "None of the document's items has a stored transaction, so there is nothing to resend "
                f"(items: {self.items}). Generate them first: leave out onlyReSend."
            )
        return (
            "None of the document's stored transactions is live or was ever sent, so Revenue has nothing to hear "
            f"(stored: {self.stored}). Check which items are excluded from revenue accounting, or use reMigrate."
        )


@frozen
class ConcurrentModification(_Refused):
    """Somebody loaded the document or wrote its transactions between reading and writing."""

    rank, category, http_status, rule_ids = 20, 50, 409, ("PRE-1",)

    @property
    def message(self) -> str:
        return "The document or its transactions changed in the meantime. Nothing was written; send it again."


@frozen
class InternalFault(_Refused):
    """A fault of the service's own."""

    rank, category, http_status, rule_ids = None, 60, 500, ("PRE-3",)

    @property
    def message(self) -> str:
        return "Internal error. Send it again later; under its Idempotency-Key it is done once."


@frozen
class TemporaryFault(_Refused):
    """The service cannot answer for now."""

    rank, category, http_status, rule_ids = None, 61, 503, ("PRE-3",)

    @property
    def message(self) -> str:
        return "Temporarily unavailable. Send it again later; under its Idempotency-Key it is done once."


Refusal = (
    UnknownPath
    | MethodNotAllowed
    | PayloadTooLarge
    | UnsupportedEncoding
    | Unauthenticated
    | PermissionDenied
    | EntityRequired
    | EntityNotAccessible
    | OrgNotAccessible
    | LimitExceeded
    | InvalidHeader
    | UnreadableBody
    | InvalidParameter
    | ConflictingFlags
    | UnknownField
    | MissingField
    | InvalidField
    | IdempotencyKeyInProgress
    | IdempotencyKeyReused
    | DocumentNotFound
    | DocumentReferenceMismatch
    | DocumentNotPosted
    | UnmappableItem
    | NothingToResend
    | ConcurrentModification
    | InternalFault
    | TemporaryFault
)
"""The closed union, in order of precedence."""

REFUSALS: Final[tuple[type[Refusal], ...]] = get_args(Refusal)
"""All refusals in order of precedence, for tables and for ``match`` with ``assert_never``."""
