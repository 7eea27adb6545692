"""The law a second time, naively: plain dictionaries, text and if/else, written from the rules and not from the core.

It is the oracle that the core is compared with, so it imports nothing of it and shares no table, no type and no trick:
it scans where the core indexes, and asks for the two flags where the core asks a table. A transaction is identified by
the tuple (tenant, entity, document type, document id, item id), never by a hash. ``as_given`` holds what the caller
wants back; the model never looks into it.

A document is a dictionary with ``tenant, entity, type, id, number, org, status, reason_code, from_reversal, items,
as_given``; an item one with ``id, amount, kind, source, processing, excluded, booking_amount, booking_excluded,
account_level_discount, calculated_charge_model, charge_deleted, category, as_given``. Values are Zuora's words.
"""

from __future__ import annotations

from typing import Any

__all__ = ["NaiveModel", "Plain", "collected", "mapping_of", "said", "written"]

Plain = dict[str, Any]
Identity = tuple[str, str, str, str, str]


def signed(document: Plain, item: Plain) -> Any:
    """The billed amount as revenue counts it (MAP-A)."""
    if document["type"] == "CreditMemo":
        return -item["amount"]
    if document["type"] == "InvoiceItemAdjustment" and item["kind"] == "Credit":
        return -item["amount"]
    return item["amount"]


def signs_differ(document: Plain, item: Plain) -> bool:
    """Whether billed and booked have different signs; zero has none, an untold booking is assumed (MAP-S)."""
    billed = signed(document, item)
    booked = item["booking_amount"]
    if booked is None:
        booked = -1 if item["processing"] == "Discount" else 1
    return bool(billed * booked < 0) if billed and booked else False


def is_reversal(document: Plain) -> bool:
    """Whether a memo came from a reversal: told, or by Zuora's reason codes (MAP-R)."""
    if document["from_reversal"] is not None:
        return bool(document["from_reversal"])
    if document["type"] == "CreditMemo":
        return bool(document["reason_code"] == "Invoice reversal")
    if document["type"] == "DebitMemo":
        return bool(document["reason_code"] == "Credit memo reversal")
    return False


def mapping_of(document: Plain, item: Plain) -> tuple[str, bool] | None:
    """Revenue transaction type and standalone, or ``None`` where nothing maps the item (MAP, MAP-U)."""
    if document["type"] == "InvoiceItemAdjustment":
        return "INV", True
    if document["type"] == "DebitMemo":
        return ("CM-C", False) if is_reversal(document) else ("INV", True)
    if item["booking_excluded"] or item["account_level_discount"]:
        return "INV", True
    if item["calculated_charge_model"] or item["charge_deleted"]:
        return "INV", True
    if item["source"] == "subscription":
        return ("CM-C", False) if signs_differ(document, item) else ("INV", False)
    return mapping_on_invoice(item) if document["type"] == "Invoice" else mapping_on_credit_memo(document, item)


def mapping_on_invoice(item: Plain) -> tuple[str, bool] | None:
    """The rest of an invoice: standalone items and sales (MAP-6, MAP-7)."""
    if item["source"] == "standalone":
        return "INV", True
    if item["source"] == "order line item" and item["category"] == "Sales":
        return "INV", False
    return None


def mapping_on_credit_memo(document: Plain, item: Plain) -> tuple[str, bool] | None:
    """The rest of a credit memo: invoices, product rate plan charges and returns (MAP-10 … MAP-13)."""
    if item["source"] == "invoice":
        return ("CM-C", False) if is_reversal(document) else ("INV", True)
    if item["source"] == "product rate plan charge":
        return "INV", True
    if item["source"] == "order line item" and item["category"] == "Return":
        return "CM-RO", False
    return None


def written(only_re_send: bool, re_migrate: bool, has_item: bool, state: str | None) -> str:
    """What happens to one line; ``state`` is that of its stored transaction, ``None`` without one (TBL-W)."""
    if state is None:
        return "skip" if only_re_send else "generate"
    if not re_migrate:
        return "keep"
    if has_item:
        return "override"
    return "void" if state == "active" else "keep"


def said(flag: str, live: bool, ever_sent: bool) -> str | None:
    """What Revenue is told of one line (TBL-S)."""
    if live:
        return "line"
    return "void" if flag == "Y" and ever_sent else None


def collected(held: Plain | None, delivery: Plain) -> Plain | None:
    """What Revenue holds for one transaction after a delivery (REV-1 … REV-3)."""
    if held is not None:
        if delivery["flag"] == "N":
            return held
        if delivery["transaction"]["revision"] < held["transaction"]["revision"]:
            return held
    kind = "tombstone" if delivery["action"] == "void" else "line"
    return {"kind": kind, "transaction": delivery["transaction"]}


def is_live(transaction: Plain) -> bool:
    """Active and not excluded."""
    return transaction["state"] == "active" and not transaction["item"]["excluded"]


class NaiveModel:
    """A whole installation: documents, transactions, outbox and Revenue, in dictionaries and lists."""

    def __init__(self) -> None:
        self.documents: dict[tuple[str, str, str, str], Plain] = {}
        self.transactions: dict[tuple[str, str, str, str], list[Plain]] = {}
        self.deliveries_so_far: dict[Identity, int] = {}
        self.sent: dict[tuple[Identity, int], Plain] = {}
        self.outbox: set[tuple[Identity, int]] = set()
        self.revenue: dict[Identity, Plain] = {}

    def load(self, document: Plain) -> str:
        """``new``, ``changed``, ``same``, ``NumberTaken`` or ``ItemTaken`` (DOC-1 … DOC-4)."""
        key = (document["tenant"], document["entity"], document["type"], document["id"])
        others = [each for other, each in self.documents.items() if other != key and other[:3] == key[:3]]
        if any(each["number"] == document["number"] for each in others):
            return "NumberTaken"
        mine = {item["id"] for item in document["items"]}
        if any(item["id"] in mine for each in others for item in each["items"]):
            return "ItemTaken"
        before = self.documents.get(key)
        if before == document:
            return "same"
        self.documents[key] = document
        self.transactions.setdefault(key, [])
        return "new" if before is None else "changed"

    def visible(self, scope: Plain, kind: str) -> list[Plain]:
        """The documents of a type that a caller can see (ACC-4)."""
        within = (scope["tenant"], scope["entity"], kind)
        seen = [document for key, document in self.documents.items() if key[:3] == within]
        orgs = scope["orgs"]
        return [each for each in seen if each["org"] is None or orgs is None or each["org"] in orgs]

    def find(self, scope: Plain, request: Plain) -> Plain | str:
        """The document that a request names, or the name of the refusal (REQ-4, REQ-7)."""
        seen = self.visible(scope, request["type"])
        named = []
        for field in ("id", "number"):
            if request[field] is not None:
                matching = [document for document in seen if document[field] == request[field]]
                if not matching:
                    return "DocumentNotFound"
                named.append(matching[0])
        return "DocumentReferenceMismatch" if named[0] is not named[-1] else named[0]

    def regenerate(self, scope: Plain, request: Plain, occasion: object) -> Plain:
        """The operation; ``refused`` is the refusal's name or ``None``, and a refusal changes nothing (PRE-4)."""
        only_re_send, re_migrate = request["only_re_send"], request["re_migrate"]
        if only_re_send and re_migrate:
            return {"refused": "ConflictingFlags", "details": None}
        document = self.find(scope, request)
        if isinstance(document, str):
            return {"refused": document, "details": None}
        if document["status"] != ("Processed" if request["type"] == "InvoiceItemAdjustment" else "Posted"):
            return {"refused": "DocumentNotPosted", "details": None}
        return self._regenerated(document, only_re_send, re_migrate, occasion)

    def _regenerated(self, document: Plain, only_re_send: bool, re_migrate: bool, occasion: object) -> Plain:
        key = (document["tenant"], document["entity"], document["type"], document["id"])
        items = [item for item in document["items"] if item["processing"] != "Tax"]
        stored = {transaction["item"]["id"]: transaction for transaction in self.transactions[key]}
        present = {item["id"]: item for item in items}
        line_ids = [*present, *[item_id for item_id in stored if item_id not in present]]
        unmapped, after, changed = [], [], []
        for item_id in line_ids:
            item, old = present.get(item_id), stored.get(item_id)
            action = written(only_re_send, re_migrate, item is not None, None if old is None else old["state"])
            if action == "skip":
                continue
            if action in {"generate", "override"} and mapping_of(document, present[item_id]) is None:
                unmapped.append(item_id)
                continue
            new = self._written(action, document, item, old, occasion)
            after.append(new)
            if action != "keep":
                changed.append(new["identity"])
        if unmapped:
            return {"refused": "UnmappableItem", "details": unmapped}
        flag = "Y" if only_re_send or re_migrate else "N"
        deliveries = self._told(after, flag)
        if only_re_send and not deliveries:
            return {"refused": "NothingToResend", "details": (len(items), len(stored))}
        self.transactions[key] = after
        for delivery in deliveries:
            identity = delivery["transaction"]["identity"]
            self.deliveries_so_far[identity] = delivery["number"]
            self.sent[identity, delivery["number"]] = delivery
            self.outbox.add((identity, delivery["number"]))
        sent = [delivery["transaction"]["identity"] for delivery in deliveries]
        listed = [each["identity"] for each in after if each["identity"] in changed or each["identity"] in sent]
        return {"refused": None, "ids": listed, "deliveries": deliveries}

    @staticmethod
    def _written(action: str, document: Plain, item: Plain | None, old: Plain | None, occasion: object) -> Plain:
        if action == "keep":
            assert old is not None
            return old
        if action == "void":
            assert old is not None
            return {**old, "state": "voided", "revision": old["revision"] + 1, "updated": occasion}
        assert item is not None
        mapped = mapping_of(document, item)
        assert mapped is not None
        return {
            "identity": (document["tenant"], document["entity"], document["type"], document["id"], item["id"]),
            "document": document,
            "item": item,
            "revenue_type": mapped[0],
            "standalone": mapped[1],
            "revision": 1 if old is None else old["revision"] + 1,
            "state": "active",
            "created": occasion if old is None else old["created"],
            "updated": occasion,
        }

    def _told(self, after: list[Plain], flag: str) -> list[Plain]:
        deliveries = []
        for transaction in after:
            so_far = self.deliveries_so_far.get(transaction["identity"], 0)
            action = said(flag, is_live(transaction), so_far > 0)
            if action is not None:
                deliveries.append({"transaction": transaction, "number": so_far + 1, "flag": flag, "action": action})
        return deliveries

    def collect(self, identity: Identity, number: int) -> None:
        """Revenue gets a delivery that was ever sent."""
        held = collected(self.revenue.get(identity), self.sent[identity, number])
        if held is not None:
            self.revenue[identity] = held
