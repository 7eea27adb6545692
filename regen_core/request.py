"""The request as it was made: which document, and the two flags as given (REQ-1 … REQ-7).

It does not know what the flags mean; that is :mod:`regen_core.decision_table`.
"""

from __future__ import annotations

from typing import Any

import attrs
from attrs import field, frozen

from regen_core.documents import DocumentType, name_fault

__all__ = ["RegenerateRequest"]


def _name_or_none(_: object, attribute: attrs.Attribute[Any], value: str | None) -> None:
    fault = None if value is None else name_fault(value)
    if fault is not None:
        raise ValueError(f"{attribute.name} {fault}")


@frozen(kw_only=True)
class RegenerateRequest:
    """One call of *Regenerate billing transactions*: a document by id, by number or by both, and two flags.

    Fields: ``type`` is exactly one of the four (REQ-2); ``id`` and ``number`` match exactly, and at least one is given
    (REQ-4, REQ-7); ``only_re_send`` is ``onlyReSend`` and ``re_migrate`` is ``reMigrate``, absent means false (REQ-6).
    Both flags true is a request that can be stated and is refused (REQ-5). Raises ``ValueError`` for malformed values.

    >>> RegenerateRequest(type=DocumentType.INVOICE, number="INV-1", re_migrate=True).only_re_send
    False
    """

    type: DocumentType = field(validator=attrs.validators.instance_of(DocumentType))
    id: str | None = field(default=None, validator=_name_or_none)
    number: str | None = field(default=None, validator=_name_or_none)
    only_re_send: bool = field(default=False, validator=attrs.validators.instance_of(bool))
    re_migrate: bool = field(default=False, validator=attrs.validators.instance_of(bool))

    def __attrs_post_init__(self) -> None:
        if self.id is None and self.number is None:
            raise ValueError("neither id nor number is given; one of them must say which document is meant")
