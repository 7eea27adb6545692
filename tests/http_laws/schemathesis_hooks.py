"""What an OpenAPI document can't say, said to schemathesis, so that data that it calls valid is.

Two parameters that exclude each other and two fields that must agree are left out where they don't. Tokens are asked
for by a client that exists, and what names an invoice names one that exists, so that invalid data isn't only refused
for want of a document. What is deliberately invalid stays as it is.
"""

from __future__ import annotations

import os
import re
from typing import Any, Final

import schemathesis
from schemathesis import Case, GenerationMode, HookContext

CLIENT, SECRET = os.environ.get("REGEN_CLIENT", ""), os.environ.get("REGEN_SECRET", "")
ENTITY = os.environ.get("REGEN_ENTITY", "")
DOCUMENT, NUMBER = "8ad08d298f4b", "INV00000021"
KINDS: Final = ("Invoice", "CreditMemo", "DebitMemo", "InvoiceItemAdjustment")
_NAME: Final = re.compile(r"[!-~]{1,255}")


@schemathesis.hook
def before_load_schema(context: HookContext, raw_schema: dict[str, Any]) -> None:
    """Its check of authentication knows bearer tokens, and not that they come by OAuth; which entity there is."""
    raw_schema["components"]["securitySchemes"]["oauth"] = {"type": "http", "scheme": "bearer"}
    operation = raw_schema["paths"]["/v1/uno-regenerate/billing-transaction"]["post"]
    scoping = {each["name"]: each for each in operation["parameters"] if each["name"].startswith("Zuora-")}
    scoping["Zuora-Entity-Ids"]["schema"] = {"type": "string", "enum": [ENTITY]}
    operation["parameters"].remove(scoping["Zuora-Org-Ids"])


def _is_negative(case: Case[Any]) -> bool:
    return case.meta is not None and case.meta.generation.mode is GenerationMode.NEGATIVE


@schemathesis.hook
def filter_case(context: HookContext, case: Case[Any]) -> bool:
    """REQ-5 and REQ-3."""
    if _is_negative(case):
        return True
    body = case.body if isinstance(case.body, dict) else {}
    ids = {body[name] for name in ("id", "documentId") if isinstance(body.get(name), str)}
    both = all(str(case.query.get(name)).lower() == "true" for name in ("onlyReSend", "reMigrate"))
    return not both and len(ids) < 2


@schemathesis.hook
def map_case(context: HookContext, case: Case[Any]) -> Case[Any]:
    """Somebody that the service knows logs in, and asks for what it has."""
    if isinstance(case.body, dict):
        if case.path != "/oauth/token":
            case.body.update({name: _existing(name, value) for name, value in case.body.items()})
        elif not _is_negative(case):
            case.body = {**case.body, "client_id": CLIENT, "client_secret": SECRET}
    return case


def _existing(name: str, value: Any) -> Any:
    """What exists instead of what could; what is no valid value stays."""
    if name == "type":
        return KINDS[0] if value in KINDS else value
    known = {"id": DOCUMENT, "documentId": DOCUMENT, "number": NUMBER}.get(name)
    is_a_name = isinstance(value, str) and _NAME.fullmatch(value) is not None
    return known if known is not None and is_a_name else value
