"""Free text of a shape is carried as it is: a tab or a line break in a reason code is no fault (REQ-14, MAP-R)."""

from __future__ import annotations

import json

import pytest

from regen_core.wire.reading import ReadDocument, read_file

INVOICE = {"id": "8ad1", "invoiceNumber": "INV-9", "invoiceDate": "2026-01-01", "status": "Posted", "currency": "EUR"}


@pytest.mark.parametrize("text", ["a\tb", "two\nlines", " ", "Ünïcode"])
def test_a_reason_code_may_be_any_text(text: str) -> None:
    line = json.dumps({**INVOICE, "reasonCode": text, "invoiceItems": []}).encode()
    (read,) = read_file([line], name="x.json", tenant="t", entity="e")
    assert isinstance(read, ReadDocument)
    assert read.document.header.reason_code == text
