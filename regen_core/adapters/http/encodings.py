"""What a client accepts, read from ``Accept-Encoding`` (RFC 9110, section 12.5.3)."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

__all__ = ["accepts_gzip"]

_WEIGHT: Final = re.compile(r"[qQ]=(0(?:\.[0-9]{0,3})?|1(?:\.0{0,3})?)")
_GZIP: Final = frozenset({"gzip", "x-gzip"})


def accepts_gzip(values: Iterable[str]) -> bool:
    """Whether a response may be compressed with gzip; ``values`` are those of all the headers that came.

    A coding that is named counts more than ``*``, and one with weight 0 isn't accepted. What can't be read is left out.

    >>> [accepts_gzip([each]) for each in ("gzip", "deflate, GZIP;q=0.5", "*", "gzip;q=0", "*;q=0", "gzip;q=0, *")]
    [True, True, True, False, False, False]
    """
    weights: dict[str, float] = {}
    for element in ",".join(values).split(","):
        coding, *parameters = [part.strip(" \t") for part in element.split(";")]
        matched = [_WEIGHT.fullmatch(parameter) for parameter in parameters]
        if len(matched) <= 1 and None not in matched:
            weights[coding.lower()] = float(matched[0][1]) if matched and matched[0] else 1.0
    named = [weight for coding, weight in weights.items() if coding in _GZIP]
    return max(named, default=weights.get("*", 0.0)) > 0
