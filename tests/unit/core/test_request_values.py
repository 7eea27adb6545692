"""A request as it was made: what is not told, and what is wrong, in its words (REQ-4, REQ-6, REQ-7)."""

from __future__ import annotations

from typing import Any

import pytest

from regen_core.documents import DocumentType
from regen_core.request import RegenerateRequest


def request(**parts: Any) -> RegenerateRequest:
    return RegenerateRequest(type=DocumentType.INVOICE, **parts)


def test_flags_that_are_absent_are_false() -> None:
    """REQ-6."""
    asked = request(id="d1")
    assert (asked.id, asked.number, asked.only_re_send, asked.re_migrate) == ("d1", None, False, False)
    assert request(number="N-1", only_re_send=True) == request(number="N-1", only_re_send=True, re_migrate=False)
    assert request(number="N-1").id is None


def test_parts_are_named() -> None:
    """A number never passes for an id, nor one flag for the other."""
    kind: Any = RegenerateRequest
    with pytest.raises(TypeError):
        kind(DocumentType.INVOICE, "d1")


@pytest.mark.parametrize(
    ("parts", "message"),
    [
        ({}, "neither id nor number is given; one of them must say which document is meant"),
        ({"id": ""}, "id is blank"),
        ({"number": "N\n1"}, "number holds the control character U+000A"),
        ({"id": 7}, "id is a number, not a text"),
    ],
)
def test_what_is_wrong_is_told(parts: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=r".") as caught:
        request(**parts)
    assert str(caught.value) == message


@pytest.mark.parametrize("name", ["only_re_send", "re_migrate"])
@pytest.mark.parametrize("flag", [None, 1, "true"])
def test_a_flag_is_true_or_false(name: str, flag: Any) -> None:
    """REQ-6: absent means false, null means nothing."""
    with pytest.raises(TypeError, match=name):
        request(id="d1", **{name: flag})
