"""Whether an answer is what the service's own description says of it: status, headers, media type and body."""

from __future__ import annotations

import json
from typing import Any, Final

from jsonschema import Draft202012Validator

from regen_core.adapters.http.description import description
from tests.http_laws.calling import Heard, Sent

__all__ = ["DESCRIPTION", "undescribed"]

DESCRIPTION: Final[dict[str, Any]] = json.loads(description())

_UNDECLARED: Final = frozenset(
    {
        "cache-control",
        "connection",
        "content-encoding",
        "content-length",
        "content-type",
        "date",
        "pragma",
        "transfer-encoding",
        "vary",
        "www-authenticate",
        "x-content-type-options",
    }
)
"""Headers of HTTP itself, which a description need not name."""

_REFUSED: Final[dict[str, Any]] = DESCRIPTION["components"]["responses"]["Refused"]


def _followed(part: dict[str, Any]) -> dict[str, Any]:
    while "$ref" in part:
        target: Any = DESCRIPTION
        for step in part["$ref"].removeprefix("#/").split("/"):
            target = target[step]
        part = target
    return part


_validators: dict[int, Draft202012Validator] = {}
"""By the identity of their schema, which is a part of the description and stays."""


def _faults(schema: dict[str, Any], value: object, where: str) -> list[str]:
    validator = _validators.get(id(schema))
    if validator is None:
        whole = {**schema, "components": DESCRIPTION["components"]}
        validator = _validators[id(schema)] = Draft202012Validator(whole)
    return [f"{where}: {error.message}" for error in validator.iter_errors(value)]


def undescribed(sent: Sent, heard: Heard) -> list[str]:
    """In what an answer differs from the description."""
    operations: dict[str, Any] = DESCRIPTION["paths"].get(sent.path, {})
    operation = operations.get(sent.method.lower()) if sent.method.isupper() else None
    if operation is not None:
        response = operation["responses"].get(str(heard.status))
        is_known = response is not None
    else:
        of_the_path = operations.get("post", operations.get("get"))
        response = _REFUSED if of_the_path is None else of_the_path["responses"]["default"]
        is_known = heard.status == (404 if of_the_path is None else 405)
    if not is_known:
        return [f"{sent.method} {sent.path} answers {heard.status}, which isn't described"]
    return _of_headers(response, heard) + ([] if sent.method == "HEAD" else _of_body(response, heard))


def _of_headers(response: dict[str, Any], heard: Heard) -> list[str]:
    headers = _followed(response).get("headers", {})
    declared = {name.lower(): _followed(each) for name, each in headers.items()}
    faults = [
        f"the header {name} isn't described"
        for name, _ in heard.headers
        if name not in declared and name not in _UNDECLARED
    ]
    for name, each in declared.items():
        value = heard.header(name)
        if value is not None:
            faults += _faults(each["schema"], value, name)
        elif each.get("required"):
            faults.append(f"the header {name} is missing")
    return faults


def _of_body(response: dict[str, Any], heard: Heard) -> list[str]:
    content, media_type = _followed(response).get("content"), heard.header("content-type")
    if content is None:
        return ["there is a body"] if heard.body else []
    if media_type not in content:
        return [f"the media type is {media_type}"]
    return _faults(content[media_type]["schema"], heard.json, "the body")
