"""Runs inside the environment of Zuora's SDK: does what a line of JSON asks, and answers with a line of facts.

It imports nothing of this project. The SDK takes many seconds to import, so one process answers all questions. What the
SDK prints by itself is a fact, too.
"""

from __future__ import annotations

import contextlib
import io
import json
import sys
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, Final

import zuora_sdk  # type: ignore[import-not-found]  # it is in an environment of its own
from zuora_sdk.zuora_client import ZuoraClient  # type: ignore[import-not-found]

Facts = dict[str, Any]

_PARSED: Final = (
    "content_encoding",
    "rate_limit_limit",
    "rate_limit_remaining",
    "rate_limit_reset",
    "zuora_track_id",
    "zuora_request_id",
    "concurrency_limit_type",
    "concurrency_limit_limit",
    "concurrency_limit_remaining",
)

_clients: dict[str, Any] = {}


def login(client: str, host: str, client_id: str, client_secret: str) -> Facts:
    """Make a client, which is called ``client`` from now on, and log in."""
    made = ZuoraClient(client_id, client_secret, None, zuora_sdk.Configuration(host=host))
    made.set_retry_config(1, 1)
    _clients[client] = made
    made.initialize()
    return _token(made)


def refresh(client: str) -> Facts:
    """Fetch another token; the SDK sends the old one along."""
    _clients[client].refresh_token()
    return _token(_clients[client])


def token(client: str) -> Facts:
    """What a client knows of its token."""
    return _token(_clients[client])


def _token(client: Any) -> Facts:
    left = client.token["expires_at"] - datetime.now()  # noqa: DTZ005  # the SDK's own clock
    return {
        "authorization": client.get_default_headers().get("Authorization"),
        "seconds_left": left.total_seconds(),
        "is_expired": client.is_token_expired(),
    }


def regenerate(
    client: str, body: Facts, headers: Mapping[str, str] | None = None, parameters: Facts | None = None
) -> Facts:
    """Call the operation; what it returned or raised, and what the SDK parsed out of the headers."""
    extra, called = headers or {}, _clients[client]
    for name, value in extra.items():
        called.add_default_header(name, value)
    try:
        answer = called.regenerate_api().p_ost_regenerate_billing_transaction_with_http_info(
            zuora_sdk.RegenerateBillingRequest(**body), **(parameters or {})
        )
    except zuora_sdk.exceptions.ApiException as raised:
        return {**_headers(raised), **_raised(raised)}
    finally:
        for name in extra:
            called.get_default_headers().pop(name)
    return {**_headers(answer), "status": answer.status_code, "raw": answer.raw_data.decode(), **_returned(answer.data)}


def _returned(data: Any) -> Facts:
    reasons = [[reason.code, reason.message] for reason in data.reasons or ()]
    return {"type": type(data).__name__, "success": data.success, "id_list": data.id_list, "reasons": reasons}


def _raised(raised: Any) -> Facts:
    return {
        "raised": type(raised).__name__,
        "status": raised.status,
        "raw": raised.body,
        "type": type(raised.data).__name__,
        "message": getattr(raised.data, "message", None),
        "retry_after": raised.headers.get("Retry-After"),
        "replayed": raised.headers.get("Idempotent-Replayed"),
    }


def _headers(answer: Any) -> Facts:
    return {name: getattr(answer, name) for name in _PARSED}


_KNOWN: Final[Mapping[str, Callable[..., Facts]]] = {
    each.__name__: each for each in (login, refresh, token, regenerate)
}


def main() -> None:
    """Answer until there are no more questions."""
    answers = sys.stdout
    for line in sys.stdin:
        asked = json.loads(line)
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed):
            try:
                facts = _KNOWN[asked.pop("do")](**asked)
            except Exception as error:  # noqa: BLE001  # a fact
                facts = {"failed": f"{type(error).__name__}: {error}"}
        answers.write(json.dumps({**facts, "printed": printed.getvalue()}) + "\n")
        answers.flush()


if __name__ == "__main__":
    main()
