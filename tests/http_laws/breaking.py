"""The ways to break one layer of a valid request, each with the refusal that it earns, and ways that break nothing.

A way says which refusal it earns because of what it does, not by what any reader of requests would say. Where it only
throws dice, nothing is due but that no layer before the one it touched is blamed.
"""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Callable
from random import Random
from typing import Final

from attrs import frozen

from regen_core import refusals
from regen_core.refusals import REFUSALS, Refusal
from regen_core.wire.submission import MAX_BODY_BYTES
from tests.http_laws.attempts import CANARY, Attempt, Token

__all__ = ["BREAKS", "Break", "HARMLESS", "NOISE", "PLACE"]

PLACE: Final[dict[type[Refusal], int]] = {each: place for place, each in enumerate(REFUSALS)}
"""The order in which refusals win (PRE-1)."""

Apply = Callable[[Random, Attempt], None]


@frozen
class Break:
    """One way; ``due`` is the refusal that it earns, or the first that it may earn."""

    name: str
    due: type[Refusal]
    apply: Apply


def _one(rng: Random, values: tuple[str, ...]) -> str:
    return values[rng.getrandbits(16) % len(values)]


def _header(name: str, *values: str | tuple[str, ...]) -> Apply:
    """One of these values for a header; several for one that comes more than once."""
    each = tuple([(value,) if isinstance(value, str) else value for value in values])

    def apply(rng: Random, attempt: Attempt) -> None:
        attempt.set_header(name, *each[rng.getrandbits(16) % len(each)])

    return apply


def _field(*names_and_texts: tuple[str, str]) -> Apply:
    """One of these JSON texts for a field."""

    def apply(rng: Random, attempt: Attempt) -> None:
        name, text = names_and_texts[rng.getrandbits(16) % len(names_and_texts)]
        attempt.set_field(name, text)

    return apply


def _text(*ways: Callable[[bytes], bytes]) -> Apply:
    """One of these things done to the JSON text."""

    def apply(rng: Random, attempt: Attempt) -> None:
        attempt.text = ways[rng.getrandbits(16) % len(ways)]

    return apply


# rank 0


def _path(rng: Random, attempt: Attempt) -> None:
    path, place = attempt.path, 1 + rng.getrandbits(16) % (len(attempt.path) - 1)
    other = chr(33 + rng.getrandbits(16) % 90)
    ways = (
        path + "/",
        "/" + path,
        path.upper(),
        path[:-1],
        path[:place] + path[place + 1 :],
        path[:place] + other + path[place:],
        path + "\0",
        path + " ",
        path.replace("-", "\N{EN DASH}"),
        path + "/../billing-transaction",
        "/" + CANARY,
        "",
        "*",
        "http://127.0.0.1" + path,
    )
    attempt.path = _one(rng, ways)


_METHODS: Final = (
    "GET",
    "HEAD",
    "PUT",
    "PATCH",
    "DELETE",
    "OPTIONS",
    "TRACE",
    "CONNECT",
    "post",
    "Post",
    "POSTS",
    "",
    CANARY,
)


def _method(rng: Random, attempt: Attempt) -> None:
    attempt.method = _one(rng, _METHODS)


_PAD: Final = b" " * (MAX_BODY_BYTES + 1)


def _size(_rng: Random, attempt: Attempt) -> None:
    attempt.pad = _PAD


# ranks 1 to 5


def _token(rng: Random, attempt: Attempt) -> None:
    attempt.token = _one(rng, Token.WAYS)


def _unpermitted(_rng: Random, attempt: Attempt) -> None:
    attempt.is_permitted = False


def _unnamed(_rng: Random, attempt: Attempt) -> None:
    attempt.has_several = True
    attempt.set_header("Zuora-Entity-Ids")


def _no_orgs(rng: Random, attempt: Attempt) -> None:
    attempt.has_orgs = False
    attempt.set_header("Zuora-Org-Ids", _one(rng, ("north", "", "north,south", CANARY)))


def _limited(_rng: Random, attempt: Attempt) -> None:
    attempt.is_limited = True


# rank 7: the body is no JSON object


def _gzipped(how: Callable[[bytes], bytes]) -> Callable[[Attempt], None]:
    def apply(attempt: Attempt) -> None:
        attempt.set_header("Content-Encoding", "gzip")
        attempt.pack = how

    return apply


def _gz(body: bytes) -> bytes:
    return gzip.compress(body, 1, mtime=0)


def _wrong_sum(body: bytes) -> bytes:
    packed = _gz(body)
    return packed[:-8] + bytes([packed[-8] ^ 1]) + packed[-7:]


_BOMB: Final = gzip.compress(b'{"type":"Invoice","id":"' + b"1" * 4_000_000 + b'"}', 9, mtime=0)
_GZIPS: Final = tuple(
    map(
        _gzipped,
        (
            lambda body: _gz(body)[:-1],
            lambda body: _gz(body)[:-9],
            lambda body: _gz(body) + b"\0",
            lambda body: _gz(body) * 2,
            lambda body: _gz(body)[:2],
            lambda body: b"\x1f\x8b\x09" + _gz(body)[3:],
            zlib.compress,
            lambda body: _gz(_gz(body)),
            lambda body: _gz(body[:-1]),
            lambda _body: _gz(b""),
            lambda _body: _BOMB,
            _wrong_sum,
        ),
    )
)


def _gzip(rng: Random, attempt: Attempt) -> None:
    _GZIPS[rng.getrandbits(16) % len(_GZIPS)](attempt)


def _unannounced(_rng: Random, attempt: Attempt) -> None:
    attempt.set_header("Content-Encoding")
    attempt.pack = _gz


def _with(more: bytes) -> Callable[[bytes], bytes]:
    """One more field, or whatever stands for one, at the end of the object."""
    return lambda body: body[:-1] + b"," + more + b"}"


_UNREADABLE: Final = (
    lambda _body: b"",
    lambda _body: b" \r\n\t",
    lambda body: body[:-1],
    lambda body: body[1:],
    lambda body: body[: len(body) // 2],
    lambda body: body + b"}",
    lambda body: body + body,
    lambda body: body + b"\0",
    lambda body: body + b"//",
    lambda body: b"\xef\xbb\xbf" + body,
    lambda body: body.decode().encode("utf-16"),
    lambda body: body.decode().encode("utf-32-le"),
    lambda body: body.replace(b'"', b"'"),
    lambda body: body.replace(b":", b"=", 1),
    lambda body: body.replace(b'"', b'"\n', 1),
    lambda body: body.replace(b'"', b'"\xff', 1),
    lambda body: body.replace(b'"', b'"\xed\xa0\x80', 1),
    lambda body: body.replace(b'"', b'"\xc0\xaf', 1),
    lambda body: b"[" + body + b"]",
    lambda body: b"x" + body,
    lambda _body: b'"' + CANARY.encode() + b'"',
    lambda _body: b"null",
    lambda _body: b"17",
    lambda _body: b"[]",
    lambda _body: b"[" * 60_000,
    lambda _body: b'{"a":' * 10_000,
    lambda _body: b'{"id":' + b"9" * 60_000 + b"}",
    _with(b'"n":NaN'),
    _with(b'"n":-Infinity'),
    _with(b'"n":1e999999999'),
    _with(b'"n":' + b"1" * 5_000),
    _with(b'"n":01'),
    _with(b'"n":1.'),
    _with(b'"n":+1'),
    _with(b'"n":0x10'),
    _with(b'"n":undefined'),
    _with(b'"n":True'),
    _with(b'"n":1,"n":2'),
    _with(b'"n":{"a":1,"a":2}'),
    _with(b'"\\u006e":1,"n":2'),
    _with(b'"n":"\\u0000"'),
    _with(b'"n\\u0000":1'),
    _with(b'"n":"\\ud800"'),
    _with(b'"n":"\\udc00\\ud800"'),
    _with(b'"n":"\\x41"'),
    _with(b'"n":"\\u12"'),
    _with(b'"n":"\x01"'),
    _with(b'"n":"\x7f\x1f"'),
    _with(b'"n":' + b"[" * 500 + b"]" * 500),
    _with(b""),
    _with(b'"n"'),
    _with(b"n:1"),
)

# ranks 8 and 9


def _parameter(rng: Random, attempt: Attempt) -> None:
    """An unknown name, a value that is no boolean, or a name that comes twice."""
    how = rng.getrandbits(16)
    query = attempt.query
    if how % 3 == 0:
        query.insert(how % (len(query) + 1), (_one(rng, _UNKNOWN), _one(rng, ("true", "false", CANARY, ""))))
    elif how % 3 == 1:
        query.append((_one(rng, ("onlyReSend", "reMigrate")), _one(rng, _NO_BOOLEANS)))
    else:
        name = query[0][0] if query else "reMigrate"
        attempt.query = [*(query or [(name, "true")]), (name, _one(rng, ("true", "false", "True", CANARY)))]


_UNKNOWN: Final = (
    "onlyResend",
    "OnlyReSend",
    "remigrate",
    "reMigrate ",
    " reMigrate",
    "reMigrate[]",
    "re\N{CYRILLIC SMALL LETTER EM}igrate",
    "dryRun",
    "type",
    "id",
    "",
    "\0",
    "\r\nSet-Cookie: a=b",
    "x" * 5000,
    "__proto__",
)
_NO_BOOLEANS: Final = (
    "1",
    "0",
    "yes",
    "",
    " true",
    "true ",
    "tru",
    "TRUE\0",
    "null",
    "true,false",
    "\N{LATIN SMALL LETTER T}rue\N{COMBINING ACUTE ACCENT}",
    "\N{FULLWIDTH LATIN SMALL LETTER T}rue",
    CANARY,
    CANARY * 1000,
)


def _flag_in_body(rng: Random, attempt: Attempt) -> None:
    attempt.set_field(_one(rng, ("onlyReSend", "reMigrate")), _one(rng, ("true", "false", "null", f'"{CANARY}"')))


def _both(_rng: Random, attempt: Attempt) -> None:
    attempt.query = [("onlyReSend", "true"), ("reMigrate", "TRUE")]


# ranks 10 to 12

_STRANGE_FIELDS: Final = (
    "Type",
    "ID",
    "docId",
    "documentid",
    "numbers",
    "",
    " id",
    "id ",
    "tenant",
    "entity",
    "__proto__",
    "\N{FULLWIDTH LATIN SMALL LETTER I}d",
    "x" * 3000,
    "a\\nb\\r\\u2028",
    "\N{PILE OF POO}" * 100,
)


def _unknown_field(rng: Random, attempt: Attempt) -> None:
    attempt.set_field(_one(rng, _STRANGE_FIELDS), _one(rng, ("1", "null", f'"{CANARY}"', "{}", "[[]]")))


def _no_type(rng: Random, attempt: Attempt) -> None:
    attempt.without("type")
    if rng.getrandbits(1):
        attempt.set_field("type", "null")


def _no_name(rng: Random, attempt: Attempt) -> None:
    attempt.without("id", "documentId", "number")
    if rng.getrandbits(1):
        attempt.set_field(_one(rng, ("id", "documentId", "number")), "null")


_NO_TYPES: Final = (
    '"invoice"',
    '"Invoice "',
    '"INVOICE"',
    '"Order"',
    f'"{CANARY}"',
    '""',
    "1",
    "true",
    "[]",
    '["Invoice"]',
    "{}",
    "0.5",
    '"\N{CYRILLIC CAPITAL LETTER BYELORUSSIAN-UKRAINIAN I}nvoice"',
)
_NO_NAMES: Final = (
    '""',
    '" "',
    '"\\t"',
    '"\\n\\n"',
    '"\N{NO-BREAK SPACE}"',
    f'"{CANARY}\\u0007"',
    f'"{CANARY}\\r\\nX-Injected: 1"',
    '"\\u0085"',
    f'"{CANARY * 64}"',
    "17",
    "1.5",
    "true",
    "false",
    "[]",
    f'["{CANARY}"]',
    "{}",
)
_NAMES: Final = ("id", "documentId", "number")


def _wrong_name(rng: Random, attempt: Attempt) -> None:
    attempt.set_field(_one(rng, _NAMES), _one(rng, _NO_NAMES))


def _two_ids(rng: Random, attempt: Attempt) -> None:
    attempt.set_field("id", f'"{CANARY}-1"')
    attempt.set_field("documentId", _one(rng, (f'"{CANARY}-2"', f'"{CANARY}-1 "', f'"{CANARY.lower()}-1"')))


_TWICE: Final = (CANARY, CANARY)
_NO_KEYS: Final = (
    "",
    " ",
    "a b",
    "a\tb",
    "a" * 256,
    f"{CANARY}\0",
    f"{CANARY}\r\nA: b",
    "\xe9",
    f"{CANARY}\x7f",
    _TWICE,
    ("", "a"),
)
_NO_TRACKS: Final = (
    "a:b",
    "a;b",
    'a"b',
    "a'b",
    "a" * 65,
    f"{CANARY}\0",
    f"{CANARY}\r\nA: b",
    f"{CANARY}\n",
    "\xe9",
    "a\tb",
    "\x7f",
    _TWICE,
)

BREAKS: Final[tuple[Break, ...]] = (
    Break("the path", refusals.UnknownPath, _path),
    Break("the method", refusals.MethodNotAllowed, _method),
    Break("the size", refusals.PayloadTooLarge, _size),
    Break(
        "the media type",
        refusals.UnsupportedEncoding,
        _header(
            "Content-Type",
            "text/plain",
            "application/xml",
            "",
            "application/jsonp",
            "application/json; charset=latin-1",
            "application/json, text/plain",
            "application/json\0",
            "application/problem+json",
            CANARY,
            ("application/json", "application/json"),
        ),
    ),
    Break(
        "the encoding",
        refusals.UnsupportedEncoding,
        _header("Content-Encoding", "br", "deflate", "", "gzip, gzip", "gzip;q=1", "x-gzip", CANARY, ("gzip", "gzip")),
    ),
    Break("the token", refusals.Unauthenticated, _token),
    Break("the permission", refusals.PermissionDenied, _unpermitted),
    Break("no entity", refusals.EntityRequired, _unnamed),
    Break(
        "the entity",
        refusals.EntityNotAccessible,
        _header("Zuora-Entity-Ids", "e9", "", "E1", "e1,e2", "e1, e1", "e1;", "\xe91", CANARY, "e1\0", ("e1", "e1")),
    ),
    Break(
        "the organisations",
        refusals.OrgNotAccessible,
        _header("Zuora-Org-Ids", "west", "", ",", "north,", "north,,south", "NORTH", "north south", CANARY, _TWICE),
    ),
    Break("organisations of who has none", refusals.OrgNotAccessible, _no_orgs),
    Break("the limits", refusals.LimitExceeded, _limited),
    Break("the key", refusals.InvalidHeader, _header("Idempotency-Key", *_NO_KEYS)),
    Break("the track id", refusals.InvalidHeader, _header("Zuora-Track-Id", *_NO_TRACKS)),
    Break("the JSON text", refusals.UnreadableBody, _text(*_UNREADABLE)),
    Break("the compression", refusals.UnreadableBody, _gzip),
    Break("compression that nobody announced", refusals.UnreadableBody, _unannounced),
    Break("a parameter", refusals.InvalidParameter, _parameter),
    Break("a flag in the body", refusals.InvalidParameter, _flag_in_body),
    Break("both flags", refusals.ConflictingFlags, _both),
    Break("an unknown field", refusals.UnknownField, _unknown_field),
    Break("no type", refusals.MissingField, _no_type),
    Break("no id", refusals.MissingField, _no_name),
    Break("the type", refusals.InvalidField, _field(*[("type", text) for text in _NO_TYPES])),
    Break("a name", refusals.InvalidField, _wrong_name),
    Break("two ids", refusals.InvalidField, _two_ids),
)
"""All the ways; two of different layers at once earn what the first of them in this order earns."""


# what must make no difference


def _compressed(_rng: Random, attempt: Attempt) -> None:
    attempt.set_header("Content-Encoding", "GZip")
    attempt.pack = _gz


def _claimed(_rng: Random, attempt: Attempt) -> None:
    attempt.set_header("Content-Encoding", "gzip")


def _escaped(body: bytes) -> bytes:
    return body.replace(b"d", b"\\u0064").replace(b"n", b"\\u006E") if b"null" not in body else body


def _shuffled(rng: Random, attempt: Attempt) -> None:
    for each in (attempt.fields, attempt.query, attempt.headers):
        rng.shuffle(each)


def _cut(rng: Random, attempt: Attempt) -> None:
    attempt.cuts = [rng.getrandbits(7) for _ in range(rng.getrandbits(3))]


def _headers_of_others(rng: Random, attempt: Attempt) -> None:
    others = ("Zuora-Version", "X-Request-Id", "Zuora-Entity-Id", "Cookie", "X-HTTP-Method-Override", "Expect")
    attempt.headers.append((_one(rng, others), f"GET {CANARY} \xff"))


def _cased(rng: Random, attempt: Attempt) -> None:
    case = str.upper if rng.getrandbits(1) else str.lower
    attempt.headers = [(case(name), value) for name, value in attempt.headers]


HARMLESS: Final[tuple[Apply, ...]] = (
    _compressed,
    _claimed,
    _shuffled,
    _cut,
    _headers_of_others,
    _cased,
    _text(
        lambda body: b" \n" + body.replace(b",", b"\t, ") + b"\r\n",
        _escaped,
        lambda body: body.replace(b":", b" : "),
    ),
    _header(
        "Content-Type", 'APPLICATION/JSON ; charset="UTF-8"', "application/json;charset=utf8", "application/json;", ()
    ),
)
"""What means the same."""


# dice


def _dice_on_the_body(rng: Random, attempt: Attempt) -> None:
    seed = rng.getrandbits(32)

    def spoilt(body: bytes) -> bytes:
        dice, some = Random(seed), bytearray(body)  # noqa: S311  # reproducible
        for _ in range(1 + dice.getrandbits(2)):
            place = dice.getrandbits(16) % (len(some) + 1)
            how, other = dice.getrandbits(2), dice.getrandbits(8)
            if how == 0:
                some.insert(place, other)
            elif how == 1:
                del some[place : place + 1 + other % 9]
            elif how == 2:
                some[place : place + 1] = bytes([other])
            else:
                some[place:place] = some[other % (len(some) + 1) :]
        return bytes(some)

    if rng.getrandbits(1):
        attempt.text = spoilt
    else:
        attempt.set_header("Content-Encoding", "gzip")
        attempt.pack = lambda body: b"\x1f\x8b" + spoilt(_gz(body))[2:]


def _dice_on_the_query(rng: Random, attempt: Attempt) -> None:
    raw = "".join([chr(33 + rng.getrandbits(16) % 223) for _ in range(rng.getrandbits(5))])
    attempt.raw_query = "reMigrate=true&" + raw
    attempt.query = [("reMigrate", "true"), (raw, raw[::-1])]


def _dice_on_a_header(rng: Random, attempt: Attempt) -> None:
    name, value = attempt.headers[rng.getrandbits(16) % len(attempt.headers)]
    place = rng.getrandbits(16) % (len(value) + 1)
    attempt.set_header(name, value[:place] + chr(rng.getrandbits(8)) + value[place + rng.getrandbits(1) :])


NOISE: Final[tuple[Break, ...]] = (
    Break("dice on the body", refusals.UnreadableBody, _dice_on_the_body),
    Break("dice on the query", refusals.InvalidParameter, _dice_on_the_query),
    Break("dice on a header", refusals.UnsupportedEncoding, _dice_on_a_header),
)
"""Random bytes: nothing before the layer that they fell on may be blamed."""
