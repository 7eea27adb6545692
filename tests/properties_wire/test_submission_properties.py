"""Any request is admitted or refused by one of ranks 0 to 12, and what is admitted means what it said."""

from __future__ import annotations

import gzip
import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from regen_core.access import Caller
from regen_core.documents import DocumentType
from regen_core.request import RegenerateRequest
from regen_core.testing import strategies as ours
from regen_core.wire.submission import Admitted, Submission, admit

CALLER = Caller(tenant="t", client="c", entities=frozenset({"e"}))
HEADERS = st.tuples(
    st.sampled_from(["Content-Type", "content-encoding", "Zuora-Track-Id", "Idempotency-Key", "Zuora-Org-Ids", "X"]),
    st.sampled_from(["application/json", "gzip", "a", "", "a:b", "é", "\0"]) | st.text(max_size=5),
)
QUERY = st.tuples(st.sampled_from(["onlyReSend", "reMigrate", "x"]), st.sampled_from(["true", "False", "", "1"]))
BODIES: st.SearchStrategy[dict[str, Any]] = st.dictionaries(
    st.sampled_from(["type", "id", "documentId", "number", "reMigrate", "x"]),
    st.sampled_from(["Invoice", "CreditMemo", "a", "", "\n", 7, None, True, [], {}, 1.5]),
)


@given(
    st.lists(HEADERS, max_size=4),
    st.lists(QUERY, max_size=3),
    st.binary(max_size=60) | BODIES.map(lambda body: json.dumps(body).encode()),
    st.sampled_from([lambda raw: raw, gzip.compress, lambda raw: gzip.compress(raw)[:-2]]),
    st.sampled_from([None, CALLER]),
    st.none() | st.integers(1, 9),
)
def test_any_request_is_admitted_or_refused_by_rank(
    headers: list[tuple[str, str]],
    query: list[tuple[str, str]],
    body: bytes,
    pack: Any,
    caller: Caller | None,
    retry_after: int | None,
) -> None:
    """PRE-1: never an exception, never a rank that needs a store."""
    made = Submission(
        headers=tuple(headers), query=tuple(query), body=pack(body), caller=caller, retry_after=retry_after
    )
    found = admit(made)
    if isinstance(found, Admitted):
        assert caller is not None
        assert retry_after is None
    else:
        assert found.rank in range(13)
        assert found.message


@given(
    st.sampled_from(DocumentType),
    st.none() | ours.names(),
    st.none() | ours.names(),
    ours.flags(),
    st.sampled_from(["id", "documentId"]),
    st.booleans(),
)
def test_what_is_admitted_means_what_it_said(
    kind: DocumentType,
    document_id: str | None,
    number: str | None,
    flags: tuple[bool, bool],
    id_name: str,
    is_gzipped: bool,
) -> None:
    """REQ-1 … REQ-7: every name comes through to the character."""
    if document_id is None and number is None:
        return
    body = json.dumps({"type": kind.value, id_name: document_id, "number": number}).encode()
    query = tuple(zip(("onlyReSend", "reMigrate"), map(str, flags), strict=True))
    headers = (("content-encoding", "gzip"),) if is_gzipped else ()
    packed = gzip.compress(body) if is_gzipped else body
    found = admit(Submission(query=query, headers=headers, body=packed, caller=CALLER))
    assert isinstance(found, Admitted), found
    assert found.request == RegenerateRequest(
        type=kind, id=document_id, number=number, only_re_send=flags[0], re_migrate=flags[1]
    )
