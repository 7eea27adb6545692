"""One line made up to ask about it: a document with one item, what is stored for it, and the two flags.

Owns how such a case becomes a document, stored transactions and a request; what follows from it is ``decide``'s.
"""

from __future__ import annotations

from attrs import frozen

from regen_core.documents import BillingDocument, BillingItem, DocumentHeader
from regen_core.explain.refused import ExplainedRefusal, explain_refusal
from regen_core.explain.regenerations import Explanation, explain
from regen_core.regeneration import Regeneration, decide
from regen_core.request import RegenerateRequest
from regen_core.transactions import (
    NO_TRANSACTIONS,
    BillingTransaction,
    RevenueType,
    StoredTransaction,
    StoredTransactions,
    TransactionState,
    transaction_id,
)
from regen_core.type_mapping import map_item

__all__ = ["Case", "explain_case"]


@frozen(kw_only=True)
class Case:
    """One line and a request about it.

    Fields: ``item`` is the item, also where it ``is_gone`` and only the transaction is left; ``stored`` the state of
    the stored transaction, ``None`` where nothing is stored; ``deliveries`` how often it was sent; the two flags as in
    the request. Raises ``ValueError`` for a case that can't be: no item and nothing stored, or sent without being
    stored.
    """

    header: DocumentHeader
    item: BillingItem
    is_gone: bool = False
    stored: TransactionState | None = None
    deliveries: int = 0
    only_re_send: bool = False
    re_migrate: bool = False

    def __attrs_post_init__(self) -> None:
        if self.stored is None and self.is_gone:
            raise ValueError("the item is gone and nothing is stored for it, so there is no line to ask about")
        if self.stored is None and self.deliveries:
            raise ValueError("nothing is stored, so nothing can have been sent")

    @property
    def document(self) -> BillingDocument:
        """The document, with the item or without."""
        return BillingDocument(self.header, () if self.is_gone else (self.item,))

    @property
    def transactions(self) -> StoredTransactions:
        """What is stored: nothing, or one transaction with the item's content as it is.

        The type of an item that can't be mapped is INV; a stored transaction has one, and no rule asks for it.
        """
        if self.stored is None:
            return NO_TRANSACTIONS
        row = map_item(self.header, self.item)
        transaction = BillingTransaction(
            id=transaction_id(self.header.key, self.item.id),
            header=self.header,
            item=self.item,
            revenue_type=RevenueType.INV if row is None else row.revenue_type,
            standalone=True if row is None else row.standalone,
            revision=1,
            state=self.stored,
            created=None,
            updated=None,
        )
        return StoredTransactions((StoredTransaction(transaction, self.deliveries),))

    @property
    def request(self) -> RegenerateRequest:
        """The request, by id."""
        key = self.header.key
        return RegenerateRequest(type=key.type, id=key.id, only_re_send=self.only_re_send, re_migrate=self.re_migrate)


def explain_case(case: Case) -> Explanation | ExplainedRefusal:
    """What the request does to the line and why, or why it is refused.

    >>> from datetime import date; from decimal import Decimal
    >>> from regen_core.documents import DocumentKey, DocumentType, ItemSource
    >>> key = DocumentKey(tenant="t", entity="e", type=DocumentType.INVOICE, id="document")
    >>> header = DocumentHeader(key=key, number="INV-1", status="Posted", date=date(2026, 1, 31), currency="EUR")
    >>> item = BillingItem(id="item", amount=Decimal(10), source=ItemSource.SUBSCRIPTION, excluded_from_revenue=True)
    >>> case = Case(header=header, item=item, stored=TransactionState.ACTIVE, deliveries=1, re_migrate=True)
    >>> explain_case(case).lines[0].line.rule_ids
    ('TBL-W7', 'TBL-S8')
    """
    outcome = decide(case.document, case.transactions, case.request)
    return explain(outcome) if isinstance(outcome, Regeneration) else explain_refusal(outcome)
