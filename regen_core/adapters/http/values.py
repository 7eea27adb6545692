"""Readers of single values of a configuration: each gives the value, or says what is wrong and what to write."""

from __future__ import annotations

from collections.abc import Callable
from ipaddress import ip_network
from typing import TypeVar

from regen_core.adapters.http.clients import SecretHash
from regen_core.documents import name_fault

__all__ = ["Faulty", "choice", "is_network", "names", "number", "secret_hash", "text", "texts", "whole"]

T = TypeVar("T")


class Faulty(Exception):  # noqa: N818  # the word of the field
    """What is wrong with a value, and what to write instead; the value itself isn't repeated."""


def text(value: object) -> str:
    """A text that isn't empty."""
    if not isinstance(value, str) or not value.strip():
        raise Faulty("is not a text. Write it in quotes.")
    return value


def names(value: object) -> str:
    """A name as documents have it: 1 to 255 characters (REQ-7)."""
    fault = name_fault(value)
    if fault is not None:
        raise Faulty(f"{fault}. Write a name of 1 to 255 characters in quotes.")
    return str(value)


def whole(least: int, most: int) -> Callable[[object], int]:
    """A whole number within bounds."""

    def read(value: object) -> int:
        if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
            raise Faulty(f"is not a whole number from {least} to {most}. Write one.")
        return value

    return read


def number(least: float, most: float) -> Callable[[object], float]:
    """A number within bounds."""

    def read(value: object) -> float:
        if not isinstance(value, int | float) or isinstance(value, bool) or not least <= value <= most:
            raise Faulty(f"is not a number from {least:g} to {most:g}. Write one.")
        return float(value)

    return read


def choice(*allowed: str) -> Callable[[object], str]:
    """One of some texts."""

    def read(value: object) -> str:
        if value not in allowed:
            raise Faulty(f"is none of the choices. Write one of {', '.join(map(repr, allowed))}.")
        return str(value)

    return read


def texts(read_one: Callable[[object], T]) -> Callable[[object], tuple[T, ...]]:
    """A list of values, each once."""

    def read(value: object) -> tuple[T, ...]:
        if not isinstance(value, list):
            raise Faulty('is not a list. Write one such as ["first", "second"].')
        return tuple(dict.fromkeys([read_one(each) for each in value]))

    return read


def is_network(value: object) -> str:
    """An IP address or a network of them."""
    try:
        return str(ip_network(text(value)))
    except ValueError:
        raise Faulty("holds what is no IP address or network. Write such as 10.0.0.0/8.") from None


def secret_hash(value: object) -> SecretHash:
    """The hash of a secret."""
    read = SecretHash.parse(text(value))
    if read is None:
        raise Faulty("is not the hash of a secret. Make one with 'regen hash-secret'.")
    return read
