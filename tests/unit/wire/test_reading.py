"""Files as people have them: every form, good documents beside bad ones, and parts that come in any order."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from decimal import Decimal
from itertools import permutations
from typing import Any

import pytest

from regen_core.documents import DocumentType
from regen_core.wire import texts
from regen_core.wire.reading import BadInput, DocumentReader, ReadDocument, Where, read_file

Raw = dict[str, Any]


def invoice(number: int = 1, **fields: Any) -> Raw:
    return {
        "id": f"inv{number}",
        "invoiceNumber": f"INV-{number}",
        "invoiceDate": "2026-01-31",
        "status": "Posted",
        "currency": "EUR",
        "invoiceItems": [{"id": f"i{number}", "chargeAmount": "10.00"}],
        **fields,
    }


def header(number: int = 1, **fields: Any) -> Raw:
    """An invoice as it is retrieved: its items come in pages."""
    given = invoice(number, **fields)
    del given["invoiceItems"]
    return given


def memo(kind: str, name: str = "m1") -> Raw:
    return {"id": name, "number": f"N-{name}", f"{kind}Date": "2026-01-31", "status": "Posted", "currency": "EUR"}


def page(*item_ids: str, key: str = "invoiceItems", following: str | None = None, **companion: str) -> Raw:
    items = [{"id": each, "chargeAmount": 1, "amountWithoutTax": 1} for each in item_ids]
    raw = {key: items, "success": True, **({"regenCore": companion} if companion else {})}
    return raw if following is None else {**raw, "nextPage": following}


def adjustment(number: int = 1, **fields: Any) -> Raw:
    return {
        "Id": f"adj{number}",
        "AdjustmentNumber": f"IIA-{number}",
        "AdjustmentDate": "2026-03-01",
        "Status": "Processed",
        "Amount": "2.50",
        "Type": "Charge",
        "InvoiceId": "inv1",
        **fields,
    }


def text(value: object, *, indent: int | None = None) -> bytes:
    return json.dumps(value, indent=indent).encode() + b"\n"


def load(*files: bytes, **options: Any) -> list[ReadDocument | BadInput]:
    """What one load gives for some files, called 0.json, 1.json and so on."""
    reader = DocumentReader(tenant="t", entity="e", **options)
    found: list[ReadDocument | BadInput] = []
    for number, blob in enumerate(files):
        found.extend(reader.read(blob.splitlines(keepends=True), name=f"{number}.json"))
    found.extend(reader.finish())
    return found


def ids(found: Iterable[ReadDocument | BadInput]) -> list[str]:
    return [each.document.id for each in found if isinstance(each, ReadDocument)]


def bad(found: Iterable[ReadDocument | BadInput]) -> list[str]:
    """Where something is wrong, with line and path."""
    return [
        f"{Where(each.where.name, each.where.line)} {fault.path}"
        for each in found
        if isinstance(each, BadInput)
        for fault in each.faults
    ]


class TestForms:
    """One object, a list, nested items, one document per line, and what tools make of them."""

    @pytest.mark.parametrize(
        "blob",
        [
            text([invoice(1), invoice(2)]),
            text([invoice(1), invoice(2)], indent=2),
            text(invoice(1)) + text(invoice(2)),
            text(invoice(1)) + b"\n  \n" + text(invoice(2)).rstrip(),
            (text(invoice(1)) + text(invoice(2))).replace(b"\n", b"\r\n"),
            b"\xef\xbb\xbf" + text(invoice(1)) + text(invoice(2)),
            b"\xef\xbb\xbf" + text([invoice(1), invoice(2)], indent=1),
            text(invoice(1), indent=2) + text(invoice(2), indent=2),
            text(invoice(1), indent=2).rstrip() + text(invoice(2), indent=2),
            text({"invoices": [invoice(1), invoice(2)], "success": True, "nextPage": "https://rest.zuora.com/next"}),
            text([invoice(1)]) + text([invoice(2)]),
            b"[\n" + text(invoice(1)).rstrip() + b",\n" + text(invoice(2)) + b"]\n",
        ],
    )
    def test_every_form_gives_the_same_documents(self, blob: bytes) -> None:
        """In their order, whatever the white space."""
        found = load(blob)
        assert bad(found) == []
        assert ids(found) == ["inv1", "inv2"]

    def test_one_object_is_one_document(self) -> None:
        """The commonest file."""
        [found] = load(text(invoice()))
        assert isinstance(found, ReadDocument)
        assert str(found.where) == "0.json"

    def test_a_file_need_not_come_line_by_line(self) -> None:
        """A blob in one piece is split as lines would be."""
        found = read_file([text(invoice(1)) + text(invoice(2))], name="a", tenant="t", entity="e")
        assert ids(found) == ["inv1", "inv2"]

    def test_adjustments_of_a_query(self) -> None:
        """Query results list them as records."""
        records = {"records": [adjustment(regenCore={"currency": "EUR"})], "done": True, "size": 1}
        assert ids(load(text(records))) == ["adj1"]

    def test_places_help_to_find_a_document(self) -> None:
        """The line where there is one per line, the path in a list."""
        assert [str(each.where) for each in load(text(invoice(1)) + b"\n" + text(invoice(2)))] == [
            "0.json:1",
            "0.json:3",
        ]
        assert [str(each.where) for each in load(text([invoice()], indent=1))] == ["0.json $[0]"]
        assert [str(each.where) for each in load(text({"invoices": [invoice()]}))] == ["0.json $.invoices[0]"]
        several = text(invoice(1), indent=1) + text(invoice(2), indent=1)
        assert [str(each.where) for each in load(several)] == ["0.json:1", "0.json:14"]


class TestBadFiles:
    """A clear message for each, and every good document of the same file."""

    @pytest.mark.parametrize(
        "blob",
        [
            b"",
            b"\n \r\n",
            b"id,number\n1,INV-1\n",
            b"<html></html>",
            b"\x1f\x8b\x08\x00\x00",
            b"PK\x03\x04",
            "{}".encode("utf-16"),
            b"\xff",
            b"7\n",
            b'"INV-1"\n',
            b"null",
            b"{}",
            b'{"id": "inv1",\n "invoiceNumber"',
            b"[" * 100_000,
        ],
    )
    def test_what_is_no_document_is_told(self, blob: bytes) -> None:
        """Never an exception."""
        found = load(blob)
        assert ids(found) == []
        assert bad(found)

    def test_one_bad_line_costs_no_other(self) -> None:
        """Wherever it is."""
        for position in range(4):
            lines = [text(invoice(number)) for number in range(3)]
            for broken in (b"{bad}\n", b'{"id": "x", "inv\n', b'{"id": 1e999999}\n', b"\xff\n", b"[1,\n", b'{"a":\n'):
                found = load(b"".join([*lines[:position], broken, *lines[position:]]))
                assert ids(found) == ["inv0", "inv1", "inv2"]
                assert [place.partition(" ")[0] for place in bad(found)] == [f"0.json:{position + 1}"]

    def test_what_stands_before_a_fault_is_read(self) -> None:
        """Of documents over many lines."""
        found = load(text(invoice(1), indent=1) + b'{"id":\n NaN}')
        assert ids(found) == ["inv1"]
        assert bad(found) == ["0.json:15 $.id"]

    def test_a_fault_in_the_middle_of_a_list_has_its_line_and_path(self) -> None:
        """Of a list nothing is read: it isn't JSON."""
        blob = text([invoice(1), invoice(2)], indent=1).replace(b'"INV-2"', b"-Infinity")
        line = blob[: blob.index(b"-Infinity")].count(b"\n") + 1
        assert bad(load(blob)) == [f"0.json:{line} $[1].invoiceNumber"]

    def test_an_error_answer_of_zuoras(self) -> None:
        """It says why, and the message repeats it."""
        answer = {"success": False, "reasons": [{"code": 50000040, "message": "Cannot find entity by key"}, 7]}
        for blob in (text(answer), text({"success": False}), text({**answer, "reasons": "x"})):
            [found] = load(blob)
            assert isinstance(found, BadInput)
        [found] = load(text(answer))
        assert isinstance(found, BadInput)
        assert "50000040" in found.message
        assert "Cannot find entity by key" in found.message

    def test_good_elements_of_a_list_come_out(self) -> None:
        """Beside those that are none."""
        found = load(text([invoice(1), 7, [invoice(2)], invoice(3, currency="euro"), invoice(4)]))
        assert ids(found) == ["inv1", "inv4"]
        assert bad(found) == ["0.json $[1]", "0.json $[2]", "0.json $[3].currency"]

    def test_all_faults_of_a_document_are_one_report(self) -> None:
        """One line of the message each."""
        [found] = load(text(invoice(currency=None, status=None)))
        assert isinstance(found, BadInput)
        assert len(found.faults) == 2
        assert [line.partition(": ")[0] for line in found.message.split("\n")] == ["0.json"] * 2


class TestOneDocumentTwice:
    """An id with two contents, a number or an item of two documents: within a file, both places are named."""

    def test_the_same_content_again_is_told_once(self) -> None:
        """Also with its keys in another order."""
        turned = dict(reversed(invoice().items()))
        for files in ([text(invoice()) + text(turned)], [text(invoice()), text(turned)]):
            found = load(*files)
            assert (ids(found), bad(found)) == (["inv1"], [])

    def test_another_content_in_the_same_file_is_a_fault(self) -> None:
        """The first stands, the second names it."""
        found = load(text(invoice()) + text(invoice(currency="USD")))
        assert ids(found) == ["inv1"]
        assert bad(found) == ["0.json:2 $"]
        assert "0.json:1" in found[1].message if isinstance(found[1], BadInput) else False

    def test_another_content_in_a_later_file_replaces_it(self) -> None:
        """DOC-1: that is how data fixes arrive."""
        found = load(text(invoice()), text(invoice(currency="USD")), text(invoice()))
        assert ids(found) == ["inv1"] * 3

    def test_one_number_on_two_documents(self) -> None:
        """DOC-2: of one type only."""
        found = load(text(invoice(1)) + text(invoice(2, invoiceNumber="INV-1")))
        assert bad(found) == ["0.json:2 $"]
        credit = {**memo("creditMemo"), "items": [], "number": "INV-1"}
        assert bad(load(text(invoice(1)) + text(credit))) == []

    def test_one_item_on_two_documents(self) -> None:
        """DOC-3: every such item is named."""
        both = [{"id": each, "chargeAmount": 1} for each in ("a", "b")]
        found = load(text(invoice(1, invoiceItems=both)) + text(invoice(2, invoiceItems=both)))
        assert bad(found) == ["0.json:2 $", "0.json:2 $"]

    def test_what_is_refused_takes_nothing_from_others(self) -> None:
        """Neither its number nor its items."""
        clash = invoice(2, invoiceItems=[{"id": "i1", "chargeAmount": 1}, {"id": "i3", "chargeAmount": 1}])
        twice = invoice(9, invoiceNumber="INV-1")
        found = load(
            text(invoice(1)) + text(clash) + text(twice) + text(invoice(3)) + text(invoice(2)) + text(invoice(9))
        )
        assert ids(found) == ["inv1", "inv3", "inv2", "inv9"]
        assert bad(found) == ["0.json:2 $", "0.json:3 $"]

    def test_a_number_that_moved_between_files_is_for_the_store(self) -> None:
        """A later file may have renumbered the first document."""
        renumbered = text(invoice(1, invoiceNumber="INV-9")) + text(invoice(2, invoiceNumber="INV-1"))
        assert bad(load(text(invoice(1)), renumbered)) == []


class TestPages:
    """Documents whose items come in pages, in any order and over any number of files."""

    parts = (
        text(header()),
        text(page("a", "b", following="https://rest.zuora.com/v1/invoices/inv1/items?page=2", documentId="inv1")),
        text(page("c", following="https://rest.zuora.com/v1/invoices/inv1/items?page=3&pageSize=1", documentId="inv1")),
        text(page("d", documentId="inv1", type="Invoice")),
    )

    @pytest.mark.parametrize("files", list(permutations(parts)), ids=range(24))
    def test_any_order_gives_the_same_document(self, files: tuple[bytes, ...]) -> None:
        """Items are in the order of their pages."""
        for blobs in (files, (b"".join(files),)):
            [found] = load(*blobs)
            assert isinstance(found, ReadDocument)
            assert [item.id for item in found.document.items] == ["a", "b", "c", "d"]

    def test_a_page_twice_is_one_page(self) -> None:
        """Nobody minds an export that was repeated."""
        [found] = load(*self.parts, self.parts[1])
        assert isinstance(found, ReadDocument)
        assert len(found.document.items) == 4

    def test_a_page_that_is_missing_is_a_fault(self) -> None:
        """Half a document must not look whole."""
        assert bad(load(*self.parts[:3])) == ["0.json 2.json nextPage"]

    def test_a_document_without_its_page(self) -> None:
        """It says what to do, beside all else that is wrong with it."""
        assert bad(load(text(header(currency="euro")))) == ["0.json $.currency", "0.json $.invoiceItems"]
        assert bad(load(text({**header(), "id": 7}))) == ["0.json $.id", "0.json $.invoiceItems"]

    def test_a_page_without_its_document(self) -> None:
        """Whose it is must be said and be here."""
        assert bad(load(text(page("a")))) == ["0.json $"]
        assert bad(load(text(page("a", documentId="inv9")))) == ["0.json $"]
        assert bad(load(text(invoice()), text(page("a", documentId="inv1")))) == ["1.json $"]

    @pytest.mark.parametrize("kind", ["creditMemo", "debitMemo"])
    def test_items_of_memos_say_their_type_or_find_it(self, kind: str) -> None:
        """By the id, as long as only one document has it."""
        name = {"creditMemo": "CreditMemo", "debitMemo": "DebitMemo"}[kind]
        for companion in ({"documentId": "m1"}, {"documentId": "m1", "type": name}):
            [found] = load(text(page("a", key="items", **companion)), text(memo(kind)))
            assert isinstance(found, ReadDocument)
            assert found.document.type is DocumentType(name)

    def test_an_id_of_two_types_needs_the_type(self) -> None:
        """Ids are unique in Zuora, but a guess would move amounts."""
        both = (text(memo("creditMemo")), text(memo("debitMemo")))
        assert len(bad(load(text(page("a", key="items", documentId="m1")), *both))) == 3
        assert ids(load(text(page("a", key="items", documentId="m1", type="DebitMemo")), *both)) == ["m1"]

    @pytest.mark.parametrize("field", ["invoiceId", "creditMemoId", "debitMemoId"])
    def test_items_may_name_their_document_themselves(self, field: str) -> None:
        """All the same one."""
        given = {
            "invoiceId": header(),
            "creditMemoId": memo("creditMemo", "inv1"),
            "debitMemoId": memo("debitMemo", "inv1"),
        }
        raw = page("a", "b", key="invoiceItems" if field == "invoiceId" else "items")
        for each in raw[next(iter(raw))]:
            each[field] = "inv1"
        assert ids(load(text(raw), text(given[field]))) == ["inv1"]
        raw[next(iter(raw))][1][field] = "inv2"
        assert bad(load(text(raw))) == ["0.json $"]

    @pytest.mark.parametrize(
        ("raw", "path"),
        [
            ({"invoiceItems": 7}, "$.invoiceItems"),
            (page("a", documentId="inv1", kind="Invoice"), "$.regenCore.kind"),
            (page("a", documentId="inv1", type="invoice"), "$.regenCore.type"),
            ({"items": [7], "regenCore": 7}, "$"),
        ],
    )
    def test_a_mistake_in_a_page(self, raw: Raw, path: str) -> None:
        """Told like any other."""
        assert bad(load(text(raw))) == [f"0.json {path}"]

    def test_a_fault_in_a_page_names_its_file(self) -> None:
        """The document is in one file, the item in another."""
        broken = page("a", documentId="inv1")
        broken["invoiceItems"].append({"id": "b"})
        assert bad(load(text(header()), text(invoice(2)) + text(broken))) == [
            "0.json 1.json:2 invoiceItems[1].chargeAmount"
        ]

    def test_a_document_without_items_twice(self) -> None:
        """As with whole documents: once, a fault, or replaced."""
        last = text(page("a", documentId="inv1"))
        assert ids(load(text(header()) + text(header()), last)) == ["inv1"]
        assert bad(load(text(header()) + text(header(currency="USD")), last)) == ["0.json:2 $"]
        [found] = load(text(header()), text(header(currency="USD")), last)
        assert isinstance(found, ReadDocument)
        assert found.document.header.currency == "USD"

    def test_an_older_document_in_pages_does_not_replace_a_later_whole_one(self) -> None:
        """Pages are joined at the end, so their order can't say which is newer."""
        found = load(text(header(currency="USD")), text(page("a", documentId="inv1")), text(invoice()))
        assert (ids(found), bad(found)) == (["inv1"], ["0.json $"])

    def test_a_number_as_long_as_may_be_waits_unharmed(self) -> None:
        """Its canonical text is longer than what was read."""
        number = "0." + "1" * 59 + "e63"
        blob = text({**header(), "balance": "NUMBER"}).replace(b'"NUMBER"', number.encode())
        [found] = load(blob, text(page("a", documentId="inv1")))
        assert isinstance(found, ReadDocument), found.message
        assert found.document.header.carried.fields["balance"] == Decimal(number)

    def test_an_empty_page_is_a_document_without_items(self) -> None:
        """Stated, not forgotten."""
        [found] = load(text(header()), text(page(documentId="inv1")))
        assert isinstance(found, ReadDocument)
        assert found.document.items == ()


class TestAdjustments:
    """FCT-7: the currency of an adjustment is that of its invoice, wherever that comes from."""

    @pytest.mark.parametrize("files", list(permutations([text(adjustment()), text(invoice())])))
    def test_its_invoice_may_come_before_or_after_it(self, files: tuple[bytes, ...]) -> None:
        """In one file or in two."""
        for blobs in (files, (b"".join(files),)):
            found = load(*blobs)
            assert sorted(ids(found)) == ["adj1", "inv1"]
            assert {each.document.header.currency for each in found if isinstance(each, ReadDocument)} == {"EUR"}

    def test_its_invoice_may_come_in_pages(self) -> None:
        """Joined first."""
        found = load(text(adjustment()), text(page("a", documentId="inv1")), text(header()))
        assert ids(found) == ["inv1", "adj1"]

    def test_its_invoice_may_have_been_loaded_before(self) -> None:
        """The caller looks it up."""
        found = load(text(adjustment()), currency_of_invoice={"inv1": "CHF"}.get)
        assert [each.document.header.currency for each in found if isinstance(each, ReadDocument)] == ["CHF"]

    def test_the_companion_needs_no_invoice(self) -> None:
        """FCT-10."""
        found = load(text(adjustment(regenCore={"currency": "CHF"})) + text(invoice()))
        assert [each.document.header.currency for each in found if isinstance(each, ReadDocument)] == ["CHF", "EUR"]

    def test_without_any_of_these_it_is_not_accepted(self) -> None:
        """With what to do."""
        assert bad(load(text(adjustment()) + text(invoice(2)))) == ["0.json:1 $.regenCore.currency"]


def test_what_is_held_at_once_has_a_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    """One text over many lines, and one line, are held as a whole; many lines are not."""
    monkeypatch.setattr(texts, "MAX_TEXT_BYTES", 1000)
    assert bad(load(text([invoice(number) for number in range(10)], indent=1))) == ["0.json $"]
    found = load(text(invoice(1)) + text([invoice(2)] * 10) + text(invoice(3)) * 10)
    assert (ids(found), bad(found)) == (["inv1", "inv3"], ["0.json:2 $"])


def test_a_long_file_with_one_bad_line_is_a_stream() -> None:
    """The first documents are there before the last lines are read, and nothing is held but a few bytes each."""
    read_so_far = 0

    def lines() -> Iterator[bytes]:
        nonlocal read_so_far
        for number in range(4_000):
            read_so_far = number
            yield b'{"id": "inv1999", "currency": \n' if number == 1_999 else text(invoice(number))

    found = read_file(lines(), name="long.ndjson", tenant="t", entity="e")
    first = next(found)
    assert isinstance(first, ReadDocument)
    assert read_so_far < 3
    documents = faults = 0
    for each in found:
        assert read_so_far - documents - faults < 5
        documents += isinstance(each, ReadDocument)
        faults += isinstance(each, BadInput)
        assert isinstance(each, ReadDocument) or str(each.where) == "long.ndjson:2000"
    assert (documents, faults) == (3_998, 1)
