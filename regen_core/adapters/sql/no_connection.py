"""Why no connection to a PostgreSQL server came about, or why it ended, in words of our own.

The protocol gives most of these failures no code that the driver would pass on, only a text, and that text may repeat
what was given. So it is looked at and never shown.
"""

from __future__ import annotations

from typing import Final

__all__ = ["why_not"]

_BY_CODE: Final = {
    "57P01": "an administrator or a restart ended the connection",
    "57P02": "it crashed, and is recovering",
    "57P03": "it is starting up or shutting down",
    "57P04": "its database was dropped",
    "57P05": "the connection said nothing for too long",
}
"""What a server says in a code to a connection that it ends."""

_REASONS: Final = (
    ("password authentication failed", "it doesn't accept the user's password"),
    ("authentication failed", "it doesn't accept the user"),
    ("no password supplied", "it wants a password, and none is given"),
    ("pg_hba.conf rejects", "its pg_hba.conf lets this user in from nowhere near here"),
    ("no pg_hba.conf entry", "its pg_hba.conf lets this user in from nowhere near here"),
    ("permission denied for database", "the user may not connect to this database"),
    ("is not permitted to log in", "the user may not log in"),
    ("not currently accepting connections", "this database lets nobody in"),
    ("too many", "all its connections are in use"),
    ("remaining connection slots", "all its connections are in use"),
    ('role "', "it knows no such user"),
    ('database "', "it has no such database"),
    ("unrecognized configuration parameter", "it has no such setting as the URL's options name"),
    ("cannot be changed", "the URL's options name a setting that no session may change"),
    ("permission denied to set parameter", "the URL's options name a setting that this user may not change"),
    ("requires a value", "the URL's options can't be read"),
    ("invalid command-line argument", "the URL's options can't be read"),
    ("invalid value for parameter", "the URL's options give a setting a value that it can't have"),
    ("definition of service", "the URL names a service that isn't defined"),
    (" value: ", "a parameter of the URL has a value that it can't have"),
    ("invalid integer value", "a parameter of the URL has a value that it can't have"),
    ("invalid port number", "the URL's port is none"),
    ("is starting up", "it is starting up"),
    ("is shutting down", "it is shutting down"),
    ("in recovery mode", "it is recovering from a crash"),
    ("not yet accepting connections", "it is recovering from a crash"),
    ("Connection refused", "nobody listens there"),
    ("root certificate file", "no root certificate is there to trust its certificate by: name one with sslrootcert"),
    ("No such file or directory", "nobody listens there"),
    ("resolve host", "its host's name is not known"),
    ("translate host name", "its host's name is not known"),
    ("timeout expired", "it didn't answer in time"),
    ("No route to host", "there is no way to its host"),
    ("Network is unreachable", "there is no way to its host"),
    ("certificate", "its certificate is not to be trusted"),
    ("SSL", "no encrypted connection came about"),
    ("server closed the connection", "it closed the connection"),
)
"""What the driver's or an English-speaking server's text holds, most telling first, and what we say."""


def why_not(error: Exception, code: str | None = None) -> str:
    """The reason, by the server's code where there is one; or the error's name, where neither is known.

    >>> why_not(OSError('FATAL:  database "mistyped" does not exist')), why_not(OSError("something else"))
    ('it has no such database', 'OSError')
    >>> why_not(OSError("terminating connection"), "57P01")
    'an administrator or a restart ended the connection'
    """
    if code in _BY_CODE:
        return _BY_CODE[code]
    told = str(error)
    return next((reason for part, reason in _REASONS if part in told), code or type(error).__name__)
