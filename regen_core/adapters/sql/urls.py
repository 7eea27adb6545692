"""Database URLs: read as a whole or refused, and shown without what they keep secret.

Owns what is a database URL at all. What a kind of database makes of one, its backend says.
"""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import parse_qsl

from sqlalchemy import make_url
from sqlalchemy.engine import URL
from sqlalchemy.exc import ArgumentError, NoSuchModuleError

from regen_core.adapters.sql.faults import UnreadableDatabaseUrl

__all__ = ["read_url", "shown_url"]

_SECRETS: Final = re.compile(
    r"(\A[\w+]+://[^:/]*:).*(?=@)|([?&][^=&]*(?:password|secret|_key)=)[^&]*", re.IGNORECASE | re.DOTALL
)
"""A password where a URL has it, up to the last @ in case it holds one, and secrets that libpq takes as parameters."""

_MAY_BE_SECRET: Final = re.compile(r"@|://[^/?]*:|(?:password|secret|_key)\s*=", re.IGNORECASE)
"""In a text that isn't a URL nobody knows where a password ends."""

_ANOTHER_AT: Final = re.compile(r"[\w+]+://[^:/]*:[^@]*@.*@|[\w+]+://[^:/]*@[^:/]*:[^@]*[/?][^@]*@", re.DOTALL)
"""An @ that would end the password before its end, or that would begin the host within the parameters."""

_PARAMETERS: Final = re.compile(r"[\w+]+://(?:[^:/]*(?::[^@]*)?@)?+[^?]*\?(.*)", re.DOTALL)
"""What follows the ?, of which the parser drops in silence whatever it doesn't take for a parameter."""


def shown_url(url: str) -> str:
    """A database URL as it may appear in a message: as it was written, without its passwords.

    >>> shown_url("postgresql://me:s@cret@host/my db?sslpassword=secret"), shown_url("sqlite:///:memory:")
    ('postgresql://me:***@host/my db?sslpassword=***', 'sqlite:///:memory:')
    """
    return _SECRETS.sub(lambda found: f"{found[1] or found[2]}***", url)


def read_url(url: str) -> URL:
    """The parts of a database URL; raises :class:`UnreadableDatabaseUrl` for what isn't one from end to end.

    >>> read_url("sqlite:///a%3Fb.db").database, read_url("postgresql://me@host/db?sslmode=require").query["sslmode"]
    ('a?b.db', 'require')
    """
    if _ANOTHER_AT.match(url):
        raise UnreadableDatabaseUrl(shown_url(url), "an @ within its user, password or parameters is written %40")
    try:
        parsed = make_url(url)
        parsed.get_dialect()
    except (ArgumentError, NoSuchModuleError, ModuleNotFoundError):
        raise UnreadableDatabaseUrl(_untold(url), "it is not a database URL") from None
    except ValueError:
        raise UnreadableDatabaseUrl(_untold(url), "its port is not a number") from None
    found = _PARAMETERS.match(url)
    if found is not None and not _are_read(found[1], parsed):
        told = "after its ? are parameters, NAME=VALUE each; a ? within a file's name is written %3F"
        raise UnreadableDatabaseUrl(shown_url(url), told)
    return parsed


def _untold(url: str) -> str:
    return "given" if _MAY_BE_SECRET.search(url) else repr(url)


def _are_read(parameters: str, parsed: URL) -> bool:
    """Whether there are parameters, and the parser has them all."""
    told = parse_qsl(parameters, keep_blank_values=True)
    read = [(name, value) for name, values in parsed.normalized_query.items() for value in values]
    return bool(told) and sorted(told) == sorted(read)
