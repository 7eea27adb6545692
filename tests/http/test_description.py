"""The served OpenAPI document is valid and says what the service does."""

from __future__ import annotations

import json
from importlib.metadata import version
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from regen_core.adapters.http.description import description
from regen_core.documents import DocumentType
from regen_core.idempotency import OPERATION_PATH
from regen_core.refusals import REFUSALS
from tests.http.conftest import SECRET, Served

DOCUMENT: dict[str, Any] = json.loads(description())
OPERATION = DOCUMENT["paths"][OPERATION_PATH]["post"]


def resolved(node: Any) -> Any:
    """A part of the document, its reference followed."""
    while isinstance(node, dict) and "$ref" in node:
        found: Any = DOCUMENT
        for name in node["$ref"].removeprefix("#/").split("/"):
            found = found[name]
        node = found
    return node


def test_it_is_valid_and_of_this_version() -> None:
    """OpenAPI 3.1."""
    from openapi_spec_validator import validate  # noqa: PLC0415  # it brings a lot, and is asked here alone

    validate(DOCUMENT)
    assert (DOCUMENT["openapi"], DOCUMENT["info"]["version"]) == ("3.1.0", version("regen-core"))


def test_it_is_served_as_it_is_and_compressed_on_demand(service: Served) -> None:
    """Without a token."""
    plain = service.http.get("/openapi.json")
    packed = service.http.get("/openapi.json", headers={"accept-encoding": "gzip"})
    assert plain.content == packed.content == description()
    assert packed.headers["content-encoding"] == "gzip"
    assert service.http.request("HEAD", "/openapi.json").status_code == 200


def test_every_refusal_has_its_status_there() -> None:
    """Those of the path come before a path is known; 405 is any operation's default."""
    elsewhere = {"UnknownPath", "MethodNotAllowed"}
    statuses = {str(each.http_status) for each in REFUSALS if each.__name__ not in elsewhere}
    assert statuses <= OPERATION["responses"].keys()


def test_the_types_are_those_of_the_core() -> None:
    """REQ-2."""
    properties = DOCUMENT["components"]["schemas"]["Request"]["properties"]
    assert properties["type"]["enum"] == [kind.value for kind in DocumentType]
    assert properties.keys() == {"type", "id", "documentId", "number"}


def test_every_path_is_one_of_the_service(service: Served) -> None:
    """And answers each of its methods; no other path is there."""
    for path, methods in DOCUMENT["paths"].items():
        for method in methods:
            assert service.http.request(method, path).status_code not in {404, 405}
        assert service.http.request("DELETE", path).status_code == 405


@pytest.mark.parametrize(
    "asked",
    [
        {},
        {"query": "?reMigrate=true"},
        {"query": "?nonsense"},
        {"token": "unknown"},
        {"client": "several"},
        {"client": "powerless"},
        {"body": {"type": "Invoice", "id": "none"}, "headers": {"idempotency-key": "k", "zuora-track-id": "job"}},
        {"content": b" " * 70_000},
        {"headers": {"content-type": "text/plain"}},
    ],
)
def test_an_answer_is_as_described(service: Served, asked: dict[str, Any]) -> None:
    """Its status, its body, and each of its own headers."""
    answer = service.ask(**asked)
    described = resolved(OPERATION["responses"][str(answer.status_code)])
    schema = {**described["content"]["application/json"]["schema"], "components": DOCUMENT["components"]}
    Draft202012Validator(schema).validate(answer.json())
    named = {name.lower() for name in described["headers"]}
    told = {name for name in answer.headers if name.startswith(("zuora-", "ratelimit-", "concurrency-", "idempotent-"))}
    assert told <= named
    needed = {name.lower() for name, header in described["headers"].items() if resolved(header).get("required")}
    assert needed <= answer.headers.keys()


@pytest.mark.parametrize(
    ("secret", "grant"), [(SECRET, "client_credentials"), ("x", "client_credentials"), ("x", "password")]
)
def test_a_tokens_answer_is_as_described(service: Served, secret: str, grant: str) -> None:
    """Granted, refused, and asked for wrongly."""
    form = {"grant_type": grant, "client_id": "one", "client_secret": secret}
    answer = service.http.post("/oauth/token", data=form)
    described = resolved(DOCUMENT["paths"]["/oauth/token"]["post"]["responses"][str(answer.status_code)])
    schema = {**described["content"]["application/json"]["schema"], "components": DOCUMENT["components"]}
    Draft202012Validator(schema).validate(answer.json())


@pytest.mark.parametrize(
    ("body", "is_valid"),
    [
        ({"type": "Invoice", "id": "a"}, True),
        ({"type": "Invoice", "id": None, "number": "n"}, True),
        ({"type": "Invoice", "documentId": "a b"}, True),
        ({"type": "Invoice", "id": None}, False),
        ({"type": "Invoice", "id": " "}, False),
        ({"type": "Invoice", "id": "a\u0085b"}, False),
        ({"type": "Invoice", "id": "a" * 256}, False),
        ({"type": "Invoice"}, False),
        ({"type": "Invoice", "id": "a", "more": 1}, False),
        ({"type": "invoice", "id": "a"}, False),
    ],
)
def test_the_service_takes_what_the_schema_allows_and_refuses_the_rest(
    service: Served, body: dict[str, Any], is_valid: bool
) -> None:
    """404 is a document that isn't there; 400 a request that can't be."""
    schema = {**DOCUMENT["components"]["schemas"]["Request"], "components": DOCUMENT["components"]}
    assert Draft202012Validator(schema).is_valid(body) is is_valid
    assert service.ask(body).status_code == (404 if is_valid else 400)
