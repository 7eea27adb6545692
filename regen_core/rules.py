"""The register of rules: for every rule id what holds, who says so, and why it was read that way.

Owns the ids that code, tests, docs and refusals cite. It decides nothing: the decision tables do, and they
point here by id. It imports no other module of the library and must not know documents, requests or stores.

Ids are public: none is renamed or given to another rule. Rows follow a request on its way: what it says, who
may send it, what is decided, refused and mapped, what Revenue makes of it; then repeats, bulk runs and
reconciliation; last, what the library adds of its own (FCT, TAX, DOC). An interpretation that names a source
is documented in part, or reads what that page leaves open.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum, unique
from types import MappingProxyType

from attrs import frozen

__all__ = ["RULES", "Origin", "Rule", "rule"]


@unique
class Origin(Enum):
    """Who answers for a rule: a public page of Zuora's, or this library where the pages leave room."""

    DOCUMENTED = "documented"
    INTERPRETATION = "interpretation"


@frozen(kw_only=True)
class Rule:
    """One rule of the register.

    Fields: ``statement`` says what holds; ``source`` titles the public Zuora pages, ``None`` where no page
    speaks; ``reason`` tells why an interpretation reads as it does, or how a documented rule's page is
    read where its words leave room, ``None`` where they don't; ``alternatives`` names the readings that
    were turned down, ``None`` if none is known. Raises ``ValueError`` for a documented rule without a
    source and for an interpretation without a reason.

    >>> so = Origin.DOCUMENTED
    >>> Rule(id="X-1", statement="So it is.", origin=so, source=None, reason=None, alternatives=None)
    Traceback (most recent call last):
        ...
    ValueError: X-1 is documented: it needs a source
    """

    id: str
    statement: str
    origin: Origin
    source: str | None
    reason: str | None
    alternatives: str | None

    def __attrs_post_init__(self) -> None:
        if self.origin is Origin.DOCUMENTED and not self.source:
            raise ValueError(f"{self.id} is documented: it needs a source")
        if self.origin is Origin.INTERPRETATION and not self.reason:
            raise ValueError(f"{self.id} is an interpretation: it needs a reason")


def rule(rule_id: str) -> Rule:
    """The rule with this id, matched exactly.

    Raises ``KeyError`` for an unknown id, with a sentence that says what to do.

    >>> rule("TBL-W9").origin
    <Origin.INTERPRETATION: 'interpretation'>
    >>> rule("REQ-5").source
    'Regenerate billing transactions (v1 API reference)'
    >>> rule("tbl-w9")
    Traceback (most recent call last):
        ...
    KeyError: "no rule has the id 'tbl-w9'; use a key of RULES, spelled exactly, such as 'TBL-W9'"
    """
    try:
        return RULES[rule_id]
    except KeyError:
        message = f"no rule has the id {rule_id!r}; use a key of RULES, spelled exactly, such as 'TBL-W9'"
        raise KeyError(message) from None


def _documented(
    rule_id: str, source: str, statement: str, reason: str | None = None, alternatives: str | None = None
) -> Rule:
    return Rule(
        id=rule_id,
        statement=statement,
        origin=Origin.DOCUMENTED,
        source=source,
        reason=reason,
        alternatives=alternatives,
    )


def _interpretation(
    rule_id: str, statement: str, reason: str, source: str | None = None, alternatives: str | None = None
) -> Rule:
    return Rule(
        id=rule_id,
        statement=statement,
        origin=Origin.INTERPRETATION,
        source=source,
        reason=reason,
        alternatives=alternatives,
    )


def _register(*rows: Rule) -> Mapping[str, Rule]:
    by_id = {row.id: row for row in rows}
    assert len(by_id) == len(rows), "a rule id stands twice in the register"
    return MappingProxyType(by_id)


# The public pages, by title. A rule that rests on several pages joins their titles with a semicolon.
_OPERATION = "Regenerate billing transactions (v1 API reference)"
_OPENAPI = "Regenerate billing transactions (OpenAPI description)"
_CHANGELOG = "v1 API changelog"
_TYPE_MAPPING = "Billing transaction type mapping"
_OVERVIEW = "Overview of Billing Transactions"
_BOOKING_OVERVIEW = "Overview of Booking Transactions"
_PRACTICES = "Best practices for using Order to Revenue"
_PERMISSION = "Enable regenerate booking transaction option"
_ERROR_CODES = "Error codes"
_ERROR_HANDLING = "Error handling"
_IDEMPOTENT = "Idempotent requests"
_LIMITS = "Rate and concurrent request limits"
_MIGRATION = "Generate booking, billing, and revenue recognition events transactions"
_MIGRATION_LOGS = "View migration logs"
_RECONCILIATION = "Order to Revenue Reconciliation"
_FIELDS = "Billing Transaction object fields and Data Query; Fields for Zuora Billing-Revenue integration"

# Reasons that several rows share.
_BILLING_IS_MEANT = (
    "The page speaks of booking transactions, but it is the page of the billing operation, and bookings have "
    "an operation and a page of their own; billing transactions must be meant."
)
_RESEND_WRITES_NOTHING = "Resending is about Revenue alone and changes no stored transaction (CNV-2)."
_NOT_IN_SHAPE = "An item's REST shape leaves this out. It is the exception, and a companion field tells it."
_STANDALONE_IS_DOCUMENTED = (
    "That it is standalone is documented. Its type, the documents it covers and its rank are not, so it "
    "follows the other standalone row for any source, MAP-1."
)

# fmt: off
RULES: Mapping[str, Rule] = _register(
    # The request
    _documented("REQ-1", _OPERATION,
        "The operation is `POST /v1/uno-regenerate/billing-transaction`. Its JSON body has `type` and, each "
        "optional, `documentId` and `number`; the query may have the booleans `onlyReSend` and `reMigrate`."),
    _documented("REQ-2", _OPERATION,
        "`type` is `Invoice`, `CreditMemo`, `DebitMemo` or `InvoiceItemAdjustment`, spelled just so."),
    _documented("REQ-3", _CHANGELOG,
        "`id` is the corrected name of the body field that was first published as `documentId`; either is "
        "understood. A request that gives both with different values is refused."),
    _interpretation("REQ-4",
        "A request names its document by id, by number or by both. With both, either one being invisible "
        "makes the document not found, and two visible ones that differ are refused.",
        "A caller who has one of them wrong has to hear it, but learns nothing of documents out of reach.",
        alternatives="Let the id decide and ignore the number."),
    _documented("REQ-5", _OPERATION,
        "`onlyReSend=true` and `reMigrate=true` exclude each other: together they are refused."),
    _interpretation("REQ-6",
        "A missing flag is false; `true` and `false` are understood in any ASCII case, other values are not. "
        "A flag twice or in the body, or an unknown parameter or field, is refused; unknown headers pass.",
        "Python clients write `True` and the SDK adds a `Zuora-Version` header. But a misspelt flag such as "
        "`onlyResend` that went unnoticed would ask for another operation.",
        alternatives="Ignore parameters and fields that are not known."),
    _interpretation("REQ-7",
        "Ids and numbers match character for character, and only within the requested type. Blank ones, ones "
        "over 255 characters and ones with control characters are refused.",
        "Trimming, folding case or normalising could reach a document that nobody named."),
    _documented("REQ-8", _OPERATION, "`Idempotency-Key` is optional and has at most 255 characters (IDM-9)."),
    _interpretation("REQ-9",
        "`Zuora-Track-Id` has at most 64 ASCII characters, none of them `:`, `;`, a quote or an apostrophe, "
        "and comes back as it was sent, with errors too. An invalid one is refused and does not come back.",
        "The page sets the limits without saying what follows when they are broken. Control characters count "
        "as invalid, since echoing them would let a caller write headers.",
        source=_OPERATION),
    _documented("REQ-10", _OPERATION,
        "With `Accept-Encoding: gzip`, a response body above 1000 bytes is compressed and labelled so. With "
        "`Content-Encoding: gzip`, the request body is compressed JSON."),
    _documented("REQ-11", _OPERATION, "`Authorization: Bearer {token}` is mandatory."),
    _documented("REQ-12", f"{_OPENAPI}; {_LIMITS}",
        "Each response has a `Zuora-Request-Id` of 36 characters; `RateLimit-*` and `Concurrency-Limit-*` "
        "headers state the limits."),
    _interpretation("REQ-13",
        "A body that is announced as gzip but is plain JSON is accepted. Any other body so announced must be "
        "exactly one whole gzip member and stay below the size limit once inflated.",
        "The official SDK sets the header and sends plain JSON; all else is damage or an attack."),
    _interpretation("REQ-14",
        "Text is strict UTF-8 without NUL and lone surrogates. JSON repeats no key, has no NaN or Infinity, "
        "and is bounded in depth and in the length of its numbers.",
        "Parsers and databases treat these differently (SQLite and PostgreSQL already do for NUL)."),

    # Who may do it, and to what
    _interpretation("ACC-1",
        "Regenerating takes the permission *Manage OTR Transactions Regeneration*, or is refused.",
        "The permission is described for the button of the user interface. The API has the same effect, so "
        "it asks for the same right.",
        source=_PERMISSION, alternatives="Ask for it in the user interface only."),
    _interpretation("ACC-2",
        "`Zuora-Entity-Ids` names one entity of the token. It is mandatory where the token has several, "
        "optional where it has one.",
        "What an id of another entity or a list of ids would mean is not told; both are refused, since "
        "guessing could reach the wrong books.",
        source=_OPERATION),
    _interpretation("ACC-3",
        "`Zuora-Org-Ids` lists orgs, with commas, that the caller can access; one that is not accessible "
        "fails the request. Without the header all accessible orgs count.",
        "The page leaves the edges open: an empty element, and the header of a caller without orgs, are "
        "refused; a repeated id counts once; unknown and foreign orgs or entities get one answer.",
        source=_OPERATION),
    _interpretation("ACC-4",
        "A document outside the caller's tenant, entity or orgs is answered like one that does not exist. "
        "Where a document has no org, its whole entity can see it.",
        "Any difference in the answer would tell one tenant of another's documents, keys or transactions.",
        alternatives="Answer that access is denied."),
    _interpretation("ACC-5",
        "What Revenue holds of a document is seen by whoever sees the document today; where Billing does not know "
        "the document, the org that it was sent with decides.",
        "The two sides are compared line by line, so one notion of org must decide for both: by the one sent, a "
        "document that moved to another org would be missing there and unknown here, though nothing differs.",
        alternatives="The org that a line was sent with decides."),

    # From the flags to the mode
    _documented("TBL-M1", _OPERATION,
        "Neither flag is `GENERATE`: stored transactions are kept, and `regenerate_flag` is `N`.",
        _BILLING_IS_MEANT, "Keep the booking transactions."),
    _documented("TBL-M2", _OPERATION,
        "`reMigrate` alone is `REMIGRATE`: stored transactions are overridden, and `regenerate_flag` is `Y`, "
        "also on a line that did not exist before.",
        f"{_BILLING_IS_MEANT} The flag belongs to the request, so all its lines share it.",
        "Override the booking transactions; send `N` with lines that are new."),
    _documented("TBL-M3", _OPERATION,
        "`onlyReSend` alone is `RESEND`: stored transactions are kept, and `regenerate_flag` is `Y`.",
        _BILLING_IS_MEANT, "Send the booking transactions again."),
    _documented("TBL-M4", _OPERATION, "Both flags are no mode: the request is refused (REQ-5)."),

    # What is written, line by line
    _documented("TBL-W1", _OPERATION,
        "`GENERATE`, item present, nothing stored: generate, active, at revision 1."),
    _documented("TBL-W2", _OPERATION, "`GENERATE`, item present, active transaction: keep."),
    _interpretation("TBL-W3", "`GENERATE`, item present, voided transaction: keep.",
        "Generating fills gaps, and a voided transaction is none; `REMIGRATE` brings it back (TBL-W8).",
        alternatives="Generate it anew."),
    _interpretation("TBL-W4", "`GENERATE`, item gone, active transaction: keep.",
        "What is stored stays in this mode; the item may be missing by mistake. `REMIGRATE` voids (TBL-W9).",
        alternatives="Void it."),
    _interpretation("TBL-W5", "`GENERATE`, item gone, voided transaction: keep.",
        "There is no item to generate from, and what is stored stays in this mode."),
    _documented("TBL-W6", _OPERATION,
        "`REMIGRATE`, item present, nothing stored: generate, active, at revision 1."),
    _documented("TBL-W7", _OPERATION,
        "`REMIGRATE`, item present, active transaction: override from the item, one revision up."),
    _interpretation("TBL-W8",
        "`REMIGRATE`, item present, voided transaction: override from the item, active, one revision up.",
        "The item is back, and afterwards every item has its line (CNV-1)."),
    _interpretation("TBL-W9",
        "`REMIGRATE`, item gone, active transaction: void, its content as it was, one revision up.",
        "Revenue has to drop the line, which takes a record that says so; the booking side voids the line of "
        "a deleted order line as well. Items go missing only by steps that Zuora advises against.",
        source=f"{_BOOKING_OVERVIEW}; {_PRACTICES}", alternatives="Delete the transaction; keep it active."),
    _interpretation("TBL-W10", "`REMIGRATE`, item gone, voided transaction: keep.",
        "It is voided already; writing it once more would say nothing (CNV-7)."),
    _interpretation("TBL-W11",
        "`RESEND`, item present, nothing stored: skip; the line does not come into being.",
        "Resending sends what exists and generates nothing (CNV-2).",
        alternatives="Generate what is missing."),
    _documented("TBL-W12", _OPERATION, "`RESEND`, item present, active transaction: keep."),
    _interpretation("TBL-W13", "`RESEND`, item present, voided transaction: keep.", _RESEND_WRITES_NOTHING),
    _interpretation("TBL-W14", "`RESEND`, item gone, active transaction: keep.", _RESEND_WRITES_NOTHING,
        alternatives="Void it."),
    _interpretation("TBL-W15", "`RESEND`, item gone, voided transaction: keep.", _RESEND_WRITES_NOTHING),

    # What Revenue is told, line by line. Live: active and not excluded
    _documented("TBL-S1", _OPERATION, "`N`, live (active and not excluded), never sent: send a line."),
    _documented("TBL-S2", _OPERATION, "`N`, live, sent before: send a line.",
        "The sentence on kept transactions can be read as kept and sent with `N`, and the sister operation "
        "for bookings words it in parallel. Revenue ignores the line where it holds one already (REV-1).",
        "Kept and not sent."),
    _interpretation("TBL-S3", "`N`, not live, never sent: send nothing.",
        "Revenue must not have a voided or excluded transaction, and never heard of this one. The exclusion "
        "flag is documented as a field; that it stops the sending and not the writing is our reading.",
        source=_FIELDS, alternatives="Do not even write an excluded item's transaction."),
    _interpretation("TBL-S4", "`N`, not live, sent before: send nothing.",
        "`N` asks for no new collecting, so what Revenue holds stays as it is (CNV-4).",
        alternatives="Send a void."),
    _documented("TBL-S5", _OPERATION, "`Y`, live, never sent: send a line."),
    _documented("TBL-S6", _OPERATION, "`Y`, live, sent before: send a line."),
    _interpretation("TBL-S7", "`Y`, not live, never sent: send nothing.",
        "Revenue cannot hold it, so there is nothing to take back (CNV-7)."),
    _interpretation("TBL-S8", "`Y`, not live, sent before: send a void.",
        "Collecting anew includes what no longer counts; else the line would stay live there (CNV-1).",
        alternatives="Send nothing and leave the line in Revenue."),

    # Identity and result
    _interpretation("TBL-I",
        "A transaction's id is a hash, 32 lower-case hexadecimal characters, of tenant, entity, document "
        "type, document id and item id, each led by its length. Overriding keeps id and creation time and "
        "always raises the revision.",
        "Every store and every retry then finds the same id unaided; the lengths keep two lists of parts "
        "from reading alike. An override was asked for, so it counts even where the content is equal.",
        alternatives="Raise the revision only when the content differs."),
    _interpretation("TBL-R",
        "`idList` names every transaction that was written or sent, once, in line order: items as in the "
        "document, then transactions without an item as stored. Where nothing was to be done, `GENERATE` and "
        "`REMIGRATE` succeed with an empty list.",
        "The description could mean the objects billed, but its samples show several ids for one document.",
        source=_OPENAPI, alternatives="The id of the document; the ids of its items."),

    # Refusals
    _interpretation("PRE-1",
        "Refusals have one fixed order, and a request with several faults hears of the earliest in it. An "
        "unknown path or method, an oversized body and a wrong content type come before all of them.",
        "No page gives an order. A fixed one makes every service answer alike, and nothing is said about a "
        "document before the caller's right to it is known."),
    _interpretation("PRE-2",
        "A code is an integer: the six digits of the resource, 500000, then the two of the category. Invalid "
        "credentials are 90000011.",
        "The make-up of codes is documented, a resource for this operation is not; 500000 is Zuora's for an "
        "unknown object.",
        source=_ERROR_CODES),
    _interpretation("PRE-3",
        "A business refusal is 400 and never 409. Categories 50, 60, 61, 70 and 99 are transient and worth a "
        "retry; the others are final.",
        "The categories are documented. Clients repeat a request after a 409, which cannot help here. Zuora "
        "often answers with 200 and `success: false`, but the page of this operation lists 4XX.",
        source=f"{_ERROR_HANDLING}; {_OPERATION}",
        alternatives="200 with `success: false`, which a service can be set to; 409."),
    _interpretation("PRE-4",
        "A refusal changes nothing, in any store: no document, no transaction, no delivery.",
        "Half a regeneration is worse than none, and a caller who was refused must be free to mend and "
        "repeat. The answer that a key remembers (IDM-6) is no change to any of them."),
    _interpretation("ELI-1",
        "Only a posted document may be regenerated, an adjustment only when processed, in any mode.",
        "The pages differ on when transactions come about, on generating a document or on posting it; a "
        "draft must not get into a revenue subledger.",
        source=f"{_OVERVIEW}; {_PRACTICES}", alternatives="Accept a document as soon as it is generated."),
    _interpretation("ELI-2",
        "A `RESEND` with nothing to send is refused, and the refusal tells the cause.",
        "An empty success would look like a repair and hide a mistake.",
        alternatives="Succeed with an empty `idList`."),

    # The revenue transaction type, first row that fits
    _interpretation("MAP-A",
        "Billed amounts are compared and summed with their sign for revenue: items of invoices and debit "
        "memos keep theirs, items of credit memos are negated, Charge adjustments add, Credit ones deduct.",
        "Zuora's worked example of a reversal comes out right only so; with positive amounts the usual "
        "credit memo for a subscription would map to `INV`.",
        alternatives="Compare the amounts as the documents state them."),
    _documented("MAP-1", _TYPE_MAPPING,
        "Invoice or credit memo, booking excluded or an account-level discount charge: `INV`, standalone."),
    _interpretation("MAP-2", "Invoice or credit memo, calculated charge model: `INV`, standalone.",
        _STANDALONE_IS_DOCUMENTED, source=_OVERVIEW),
    _interpretation("MAP-3", "Invoice or credit memo, subscription or charge deleted: `INV`, standalone.",
        _STANDALONE_IS_DOCUMENTED, source=_OVERVIEW),
    _documented("MAP-4", _TYPE_MAPPING,
        "Invoice, from a subscription, billed and booked with the same sign: `INV`, not standalone."),
    _documented("MAP-5", _TYPE_MAPPING,
        "Invoice, from a subscription, billed and booked with different signs: `CM-C`, not standalone."),
    _documented("MAP-6", _TYPE_MAPPING, "Invoice, standalone: `INV`, standalone."),
    _documented("MAP-7", _TYPE_MAPPING,
        "Invoice, from an order line item of category *Sales*: `INV`, not standalone."),
    _documented("MAP-8", _TYPE_MAPPING,
        "Credit memo, from a subscription, billed and booked with the same sign: `INV`, not standalone."),
    _documented("MAP-9", _TYPE_MAPPING,
        "Credit memo, from a subscription, billed and booked with different signs: `CM-C`, not standalone."),
    _documented("MAP-10", _TYPE_MAPPING,
        "Credit memo, from an invoice by its reversal: `CM-C`, not standalone."),
    _documented("MAP-11", _TYPE_MAPPING, "Credit memo, crediting an invoice otherwise: `INV`, standalone."),
    _documented("MAP-12", _TYPE_MAPPING, "Credit memo, from a product rate plan charge: `INV`, standalone."),
    _documented("MAP-13", _TYPE_MAPPING,
        "Credit memo, from an order line item of category *Return*: `CM-RO`, not standalone."),
    _interpretation("MAP-14", "Debit memo that reverses a credit memo: `CM-C`, not standalone.",
        "The type is documented, standalone or not is our reading: like the reversal of an invoice (MAP-10), "
        "it takes back lines that Revenue can name.",
        source=_TYPE_MAPPING, alternatives="Standalone, as other debit memos are (MAP-15)."),
    _documented("MAP-15", _TYPE_MAPPING, "Any other debit memo: `INV`, standalone."),
    _documented("MAP-16", _TYPE_MAPPING, "Invoice item adjustment: `INV`, standalone."),
    _interpretation("MAP-S",
        "Zero has no sign and differs from none. A booking amount that is not told counts as positive, for a "
        "discount as negative, and the plan shows that it was assumed.",
        "An amount of zero contradicts nothing. The shapes carry no booking amount; charges are ordinarily "
        "booked above zero and discounts below."),
    _interpretation("MAP-R",
        "That a memo stems from a reversal is read from the companion field, else from the reason codes "
        "`Invoice reversal` and `Credit memo reversal`, else assumed not to be so. The plan shows which.",
        "No field of the shapes states it: `reversed` says that the memo itself was reversed later. Those "
        "reason codes are what Zuora enters by default.",
        alternatives="Take any reference to a credit memo as proof of a reversal."),
    _interpretation("MAP-U",
        "An item that no row fits makes the request `UnmappableItem`, which says what was missing and where.",
        "A guessed type would put a wrong line into a revenue subledger, where nobody looks for it.",
        alternatives="Fall back to `INV`, standalone."),
    _interpretation("MAP-D",
        "A credit memo is standalone where its row of the type mapping says so, and not otherwise.",
        "One page calls all credit memos standalone, the other goes row by row; the more specific wins.",
        source=f"{_TYPE_MAPPING}; {_OVERVIEW}", alternatives="Every credit memo is standalone."),

    # Revenue's side
    _interpretation("REV-0",
        "A delivery's id is a function of the transaction's id and of the count of its deliveries so far. "
        "Retrying a delivery keeps the id, an operation that sends takes the next one.",
        "With the same id, a second resend would pass for a duplicate and repair nothing.",
        alternatives="An id from transaction and revision."),
    _interpretation("REV-1",
        "A delivery with `N` is collected where Revenue holds nothing for its transaction, else ignored.",
        "`Y` is the flag for collecting anew, so `N` can only collect what is not there yet.",
        source=_OPERATION),
    _interpretation("REV-2",
        "A delivery with `Y` is collected, unless Revenue holds a newer revision: then it is stale.",
        "It is said to be collected again, so an equal revision must not stop it; an older one arrives late.",
        source=_OPERATION),
    _interpretation("REV-3",
        "A void is collected by the rules of a line and leaves a tombstone that has its revision.",
        "Without the revision on record, a late line could bring back what was voided."),
    _interpretation("REV-4",
        "A delivery that comes twice counts once. Order, repetition and batching of the same deliveries make "
        "no difference to where Revenue ends.",
        "Deliveries arrive at least once and in no sure order; this gives them the effect of exactly once."),

    # Convergence
    _interpretation("CNV-1",
        "Once a `REMIGRATE` is delivered, Revenue counts the lines that today's items make, those excluded "
        "from revenue apart.",
        "Overriding and collecting anew are there to bring both sides back to the document."),
    _interpretation("CNV-2",
        "Once a `RESEND` is delivered, Revenue counts the stored transactions that are live, and storage is "
        "as it was: nothing new, nothing changed.",
        "Keeping what is stored and collecting anew are there to bring Revenue back to what is stored."),
    _interpretation("CNV-3",
        "Both laws hold from any state of Revenue: lines lost, changed there or brought back from a backup, "
        "deliveries late, twice or out of order, as long as it is about transactions that were sent before "
        "and nothing in Revenue is newer than what is stored.",
        "The operation exists to repair. This is also where `Y` differs from `N` on a resend, and what the "
        "repeated voids are for."),
    _interpretation("CNV-4",
        "`GENERATE` leaves alone what is stored and what Revenue holds, lines and voids alike. Afterwards no "
        "item lacks a transaction, and Revenue holds every live one.",
        "It is the mode that only adds, so it is safe to use at any time."),
    _interpretation("CNV-5",
        "Repeating a request changes no content, here or in Revenue; only `REMIGRATE` moves revisions.",
        "People and programs repeat requests when they are unsure, and that must do no harm."),
    _interpretation("CNV-6", "Requests for different documents may change places without any difference.",
        "Documents share no transaction; this is what lets them be worked on in parallel."),
    _interpretation("CNV-7",
        "Lines are sent for live transactions alone. A void takes `Y`, an earlier delivery and a transaction "
        "that is not live. One that is voided, and its item still gone, is left as it is.",
        "Every message costs both sides work, and a needless one makes the needed ones hard to find."),

    # Idempotency
    _interpretation("IDM-1",
        "What a key first led to is kept, good or bad, and the same request gets the same status and body "
        "bytes, the first `requestId` included. Request id, limit and track id headers are fresh.",
        "The two pages disagree; the guide to idempotency is the one written about keys. Zuora repeats the "
        "headers too, but these describe the call at hand.",
        source=f"{_IDEMPOTENT}; {_ERROR_HANDLING}",
        alternatives="409 with the first result in its body (a setting of the service); the first headers."),
    _documented("IDM-2", _IDEMPOTENT,
        "A key lasts 24 hours from when it was set, by the store's clock, never less; then it is new."),
    _documented("IDM-3", _IDEMPOTENT,
        "While the first request runs, another one under its key gets 409 at once, with `Retry-After: 1`. Of "
        "equal requests at the same moment just one is executed."),
    _interpretation("IDM-4",
        "A known key with a different request gets 422, and its record stays. Different is meant of method, "
        "path, entity, requested orgs, both flags, type, id and number once parsed, not of spelling, "
        "encoding, track id, token or present access.",
        "The page names tenant, URL and method. A body that asks for something else is as different as "
        "these, and one that asks for the same in other bytes is not.",
        source=_IDEMPOTENT, alternatives="Compare method and URL alone; compare the bytes of the body."),
    _interpretation("IDM-5",
        "Keys belong to one OAuth client of one tenant; elsewhere it is another key. Only a hash is stored.",
        "A refusal on somebody else's key would tell that it was used; what a key says is the caller's own.",
        alternatives="Answer 422 for a key of another tenant, as Zuora does."),
    _interpretation("IDM-6",
        "Kept are success and the refusals from `DocumentNotFound` to `NothingToResend`; not kept are "
        "earlier ones, `ConcurrentModification` and temporary or internal failures. A replay first checks "
        "the request and the caller again, and that all documents that it is about are still visible: both, "
        "where id and number named different ones. If not, it is `DocumentNotFound` and the record stays. What "
        "found no document has none to check.",
        "A retry must be able to succeed where the cause has passed, and no kept answer may outlive the "
        "right to see it."),
    _interpretation("IDM-7",
        "Key record, transactions and outbox become durable together or not at all, and only then is the "
        "request acknowledged. That a request still runs is shown by a lock its process holds, never by "
        "stored state.",
        "Any split would lose or double the effect at some crash, and a stored mark would outlive its "
        "process and block the key."),
    _interpretation("IDM-8",
        "A replay is marked `Idempotent-Replayed: true`; it changes no store and sends nothing.",
        "The caller can tell it from a first answer, and the effect stays single."),
    _interpretation("IDM-9",
        "A key comes in a single header, of visible ASCII characters, at least 1 and at most 255; it is "
        "opaque, and case counts. Our own clients stay at 254.",
        "The guide allows fewer than 255 characters, the reference up to 255: accepting the longer and "
        "sending the shorter suits both.",
        source=f"{_IDEMPOTENT}; {_OPERATION}", alternatives="Refuse a key of 255 characters."),

    # Migration
    _interpretation("MIG-1",
        "A migration puts the rules of a single request to many documents, one at a time. A refused document "
        "stops none of the others.",
        "A run that completes with a warning went on past its failures; documents are independent (CNV-6).",
        source=_MIGRATION_LOGS),
    _documented("MIG-2", _MIGRATION,
        "The cutover date selects by kind of item: a standalone document from that date on; a subscription's "
        "item if the current term contains the date, charges ended or removed in earlier terms left out; "
        "every item of an active evergreen, a suspended or a pending subscription; an order line item "
        "ordered from that date on."),
    _interpretation("MIG-3", "A document is selected as soon as one of its items is.",
        "Selection is described for items, the operation takes documents, and an item left out would be "
        "missing in Revenue.",
        source=_MIGRATION, alternatives="Select a document only if all its items are selected."),
    _documented("MIG-4", _MIGRATION, "Exclusion flags are applied after the selection."),
    _interpretation("MIG-5",
        "A document whose selection depends on a fact that is unknown is among the rejects, with the reason.",
        "Leaving it out in silence would lose revenue lines, and taking it along would be a guess.",
        alternatives="Select it; pass over it."),
    _documented("MIG-6", _MIGRATION_LOGS,
        "A run logs start, end, who ran it, cutover date, progress and a status: *Accepted*, *In progress*, "
        "*Completed*, *Completed-Warning* or *Error*. A warning lists what could not be generated, and why."),
    _interpretation("MIG-7",
        "A run that was killed can be resumed, and ends as if nothing had happened.",
        "Large runs do get interrupted. Zuora warns against migrating twice, as Billing and Revenue then "
        "diverge; CNV-1 to CNV-3 are what makes repeating a document safe here.",
        source=_MIGRATION),
    _interpretation("MIG-8",
        "A batch of a run is one unit of work: the transactions and deliveries of its documents together with the "
        "log's cursor, counts and rejects.",
        "A log ahead of the work would pass documents over, and one behind it would do them twice."),
    _interpretation("MIG-9",
        "A run visits documents by type and id, each once and as it is when its turn comes. What is loaded meanwhile "
        "behind the cursor is left to another run.",
        "In an order that never changes the last document done says all that is needed to go on.",
        alternatives="List all documents before the first is done."),
    _interpretation("MIG-10",
        "A run that ended in an error is resumed like one that was killed. One that is complete stays as it is, "
        "whoever resumes it or fails beside it; what it refused is tried again by another run only.",
        "The world's failures pass, refusals don't by themselves, and a log that is complete is a record.",
        alternatives="Try refused documents again when a run is resumed."),
    _interpretation("MIG-11",
        "What a run writes is stamped with the moment and the person of its acceptance, whoever resumes it.",
        "Otherwise a resumed run would leave something else than one that nothing happened to (MIG-7)."),
    _interpretation("MIG-12",
        "A run with its rejects is seen within its tenant and entity by callers of all organisations, and by those "
        "who have exactly the run's.",
        "Counts and rejects tell of documents, which others may not see (ACC-4).",
        alternatives="Show it to everybody who has the run's organisations among others."),

    # Reconciliation
    _documented("RCN-1", _RECONCILIATION,
        "Billing and Revenue are compared by document date in an accounting period and by exclusion flags."),
    _interpretation("RCN-2",
        "Per currency, the lines are counted and their amounts for revenue (MAP-A) summed.",
        "Amounts of unlike currencies do not add up, and a count shows what cancels out in a sum.",
        source=_RECONCILIATION),
    _interpretation("RCN-3",
        "Variances have names: Revenue lacks a line, has a stale one or one that was voided, or has one that "
        "Billing does not know.",
        "Each has another remedy, so a bare difference would not tell what to do.", source=_RECONCILIATION),
    _interpretation("RCN-4",
        "A line counts in a period by its document date on the side that has it.",
        "A date that was moved shows in both periods, each with its own side's amount: nothing falls between "
        "two periods, and adjoining periods add up.", alternatives="Billing's date decides for both sides."),
    _interpretation("RCN-5",
        "Beyond those names: a line that was altered at the same revision, one that is newer in Revenue than "
        "in Billing, and one of which Revenue holds a tombstone although it is live.",
        "Each of them changes a total and calls for something else to be done."),
    _interpretation("RCN-6",
        "A variance that the waiting deliveries settle is told as being on its way; the collecting rules say "
        "whether they do.",
        "What only has to be delivered needs no repair, and what delivering doesn't settle must not look so."),
    _interpretation("RCN-7",
        "Both sides and the outbox are compared as of one moment.",
        "A line that is sent while the sides are read would be seen on one of them only: a variance that never "
        "was."),

    # Facts that a REST shape leaves out
    _interpretation("FCT-1", "Not told whether booking is excluded: assumed that it is not.",
        f"The flag is kept on the charge. {_NOT_IN_SHAPE}"),
    _interpretation("FCT-2",
        "Not told whether the charge is an account-level discount: assumed that it is not.",
        _NOT_IN_SHAPE),
    _interpretation("FCT-3", "Not told whether the charge model is calculated: assumed that it is not.",
        _NOT_IN_SHAPE),
    _interpretation("FCT-4",
        "Not told whether the subscription or charge was deleted: assumed that it was not.",
        _NOT_IN_SHAPE),
    _interpretation("FCT-5", "No `excludeItemBillingFromRevenueAccounting`: assumed false.",
        "Excluding takes a decision that somebody records, and a line left out unasked is hard to notice."),
    _interpretation("FCT-6",
        "An item's source is its companion field, else its `sourceItemType`, else what the document's "
        "`sourceType` implies: Subscription; Standalone, which for a credit memo is a product rate plan "
        "charge; Invoice. Otherwise it is unknown and stays so (MAP-U).",
        "The nearest statement is the surest. A document may mix items of several sources, so only values "
        "that leave no choice are carried over to its items."),
    _interpretation("FCT-7",
        "An adjustment's currency is its companion field, else that of its invoice where that is loaded; "
        "else the document is not accepted.",
        "An adjustment's shape has no currency, and an amount without one cannot be reconciled."),
    _interpretation("FCT-8", "An item without a processing type is a Charge.",
        "It is the ordinary kind; discounts and taxes are the ones that get marked."),
    _interpretation("FCT-9",
        "A memo item's billed amount is its `amountWithoutTax`, else its `amount` less its tax, unless the item "
        "is tax-exclusive; an absent tax is zero. An invoice item's is its `chargeAmount`.",
        "Revenue is reckoned without tax, and where the net amount is left out its two parts still give it. The "
        "amount of a tax-exclusive item is described as net already.",
        source="Retrieve a credit memo item"),
    _interpretation("FCT-10", "A companion value wins over what the shape says or implies.",
        "Whoever adds it does so to correct or complete an export that has to stay as it came."),
    _interpretation("FCT-11", "A document's org is its `organizationLabel`; without one it has none (ACC-4).",
        "It is the one field of the shapes that names an organisation, and only some tenants have it."),

    # Tax lines
    _interpretation("TAX-1",
        "A tax line (an item of processing type Tax, an adjustment of a tax item) has no revenue transaction "
        "and is listed as skipped. A transaction stored for one is treated as if its item were gone.",
        "Tax is collected for somebody else and is no revenue; one stored earlier must be removable.",
        alternatives="Generate it and exclude it; refuse the document."),

    # Loading documents
    _interpretation("DOC-1",
        "Loading a document again replaces it and reports what changed. Its stored transactions stay until "
        "it is regenerated.",
        "A load tells what Billing has; what follows for transactions is for a request to decide."),
    _interpretation("DOC-2", "Within tenant and entity, a number belongs to one document of a type.",
        "A request may name its document by number, and that must have one answer (REQ-4)."),
    _interpretation("DOC-3", "Within tenant and entity, an item id belongs to one document of a type.",
        "An item under two documents is a mixed-up export and would count its amount twice."),
    _interpretation("DOC-4", "A document that is refused at load leaves what was stored before as it was.",
        "A bad export must not cost the good one (PRE-4)."),
)
# fmt: on
"""Every rule by its id, in the order that the module describes."""
