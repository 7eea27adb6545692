"""The form of a token request, read strictly (RFC 6749, sections 2.3.1, 3.2, 4.4.2 and 5.2)."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Mapping
from typing import Final
from urllib.parse import parse_qsl, unquote_plus

from attrs import field, frozen

__all__ = ["Credentials", "MAX_FORM_BYTES", "TokenFault", "credentials_in"]

MAX_FORM_BYTES: Final = 8 * 1024
"""Longest form in bytes: the fields that are needed take some two hundred."""

_FORM: Final = re.compile(
    r'application/x-www-form-urlencoded[ \t]*(?:;[ \t]*charset="?utf-?8"?[ \t]*)?;?', re.IGNORECASE
)
_BASIC: Final = re.compile(r"basic +([A-Za-z0-9+/]+={0,2}) *", re.IGNORECASE)
_GRANT: Final = "client_credentials"


@frozen
class Credentials:
    """A client's id and its secret, as sent."""

    client_id: str
    secret: str = field(repr=False)


@frozen
class TokenFault:
    """Why there is no token: an error code of RFC 6749, and a sentence for the developer."""

    error: str
    description: str

    @property
    def status(self) -> int:
        """401 for credentials that are wrong, 400 for a request that is."""
        return 401 if self.error == "invalid_client" else 400


def _invalid(description: str) -> TokenFault:
    return TokenFault("invalid_request", description)


WRONG_CREDENTIALS: Final = TokenFault("invalid_client", "Client authentication failed.")
"""The one answer for an unknown client, a wrong secret and credentials that are missing."""


def credentials_in(media_type: str | None, authorization: str | None, body: bytes) -> Credentials | TokenFault:
    """The credentials of a token request, or what is wrong with it.

    ``media_type`` and ``authorization`` are the headers, ``None`` where there is none. A bearer token, which clients
    send that have one still, is left aside.

    >>> form = b"grant_type=client_credentials&client_id=c&client_secret=s"
    >>> credentials_in("application/x-www-form-urlencoded", None, form).client_id
    'c'
    >>> credentials_in("application/json", None, b"{}").error
    'invalid_request'
    """
    if media_type is None or _FORM.fullmatch(media_type) is None:
        return _invalid("Send a form: Content-Type: application/x-www-form-urlencoded.")
    if len(body) > MAX_FORM_BYTES:
        return _invalid(f"The form is longer than {MAX_FORM_BYTES} bytes.")
    fields = _fields(body)
    if isinstance(fields, TokenFault):
        return fields
    grant = fields.get("grant_type")
    if grant is None:
        return _invalid("The field grant_type is missing; give client_credentials.")
    if grant != _GRANT:
        return TokenFault("unsupported_grant_type", "The only grant type is client_credentials.")
    return _credentials(fields, authorization or "")


def _fields(body: bytes) -> dict[str, str] | TokenFault:
    """The fields of a form; one without a value counts as absent, and one may not come twice."""
    try:
        pairs = parse_qsl(body.decode("ascii"), keep_blank_values=True, errors="strict")
    except (UnicodeDecodeError, ValueError):
        return _invalid("The form is not percent-encoded UTF-8.")
    names = [name for name, _ in pairs]
    if len(set(names)) < len(names):
        return _invalid("A field of the form is given more than once.")
    return {name: value for name, value in pairs if value}


def _credentials(fields: Mapping[str, str], authorization: str) -> Credentials | TokenFault:
    """From the form as Zuora has it, or from HTTP Basic, which the RFC obliges to; never from both."""
    matched = _BASIC.fullmatch(authorization)
    if matched is not None:
        if "client_secret" in fields:
            return _invalid("The client authenticates twice: by its form and by its Authorization header.")
        return _basic(matched[1])
    if "client_id" not in fields or "client_secret" not in fields:
        return WRONG_CREDENTIALS
    return Credentials(fields["client_id"], fields["client_secret"])


def _basic(encoded: str) -> Credentials | TokenFault:
    try:
        client_id, _, secret = base64.b64decode(encoded, validate=True).decode().partition(":")
        return Credentials(unquote_plus(client_id, errors="strict"), unquote_plus(secret, errors="strict"))
    except (binascii.Error, UnicodeDecodeError):
        return WRONG_CREDENTIALS
