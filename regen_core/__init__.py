"""Reference semantics of Zuora's *Regenerate billing transactions*, as pure functions over frozen values.

The names below are the whole public face; everything else is reached through its module.
"""

from regen_core.access import REGENERATION_PERMISSION, Caller, Scope, authorize
from regen_core.changes import FieldChange, document_changes
from regen_core.decision_table import DECISION_TABLE, DecisionTable, Mode, RegenerateFlag, SendAction, WriteAction
from regen_core.documents import (
    AdjustmentKind,
    Assumption,
    BillingDocument,
    BillingItem,
    CarriedFields,
    DocumentHeader,
    DocumentKey,
    DocumentType,
    ItemSource,
    OrderLineCategory,
    ProcessingType,
)
from regen_core.reconciliation import Period, Reconciliation, Variance, foresee, reconcile
from regen_core.refusals import Refusal
from regen_core.regeneration import PlannedLine, Regeneration, apply, decide
from regen_core.request import RegenerateRequest
from regen_core.revenue import Delivery, RevenueLedger, collect, collect_all
from regen_core.rules import RULES, Rule, rule
from regen_core.store import StoredDocument, TransactionStore
from regen_core.transactions import (
    BillingTransaction,
    Occasion,
    RevenueType,
    StoredTransaction,
    StoredTransactions,
    TransactionState,
    transaction_id,
)
from regen_core.type_mapping import map_item

__all__ = [
    "AdjustmentKind",
    "Assumption",
    "BillingDocument",
    "BillingItem",
    "BillingTransaction",
    "Caller",
    "CarriedFields",
    "DECISION_TABLE",
    "DecisionTable",
    "Delivery",
    "DocumentHeader",
    "DocumentKey",
    "DocumentType",
    "FieldChange",
    "ItemSource",
    "Mode",
    "Occasion",
    "OrderLineCategory",
    "Period",
    "PlannedLine",
    "ProcessingType",
    "REGENERATION_PERMISSION",
    "RULES",
    "Reconciliation",
    "Refusal",
    "RegenerateFlag",
    "RegenerateRequest",
    "Regeneration",
    "RevenueLedger",
    "RevenueType",
    "Rule",
    "Scope",
    "SendAction",
    "StoredDocument",
    "StoredTransaction",
    "StoredTransactions",
    "TransactionState",
    "TransactionStore",
    "Variance",
    "WriteAction",
    "apply",
    "authorize",
    "collect",
    "collect_all",
    "decide",
    "document_changes",
    "foresee",
    "map_item",
    "reconcile",
    "rule",
    "transaction_id",
]
