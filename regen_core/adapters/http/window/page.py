"""The page itself: one HTML file that needs nothing else, and the headers that see to it that it gets nothing else."""

from __future__ import annotations

import base64
import re
from functools import cache
from hashlib import sha256
from importlib.resources import files
from typing import Final

__all__ = ["ASIDE_HEADERS", "page", "page_headers"]

ASIDE_HEADERS: Final = {
    "cache-control": "no-store",
    "referrer-policy": "no-referrer",
    "cross-origin-resource-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "x-frame-options": "DENY",
}
"""What all answers of the window say: nobody keeps them, frames them or reads them from elsewhere, and the random path
travels nowhere as a referrer."""

_INLINE: Final = re.compile(r"<(script|style)>(.*?)</\1>", re.DOTALL)


@cache
def page() -> bytes:
    """The page, as it comes with the package."""
    return (files(__package__) / "window.html").read_bytes()


@cache
def page_headers() -> dict[str, str]:
    """The page's headers. Its policy lets run what is in the file and nothing else, by hash.

    Trusted types are required and none is made, so no text can become markup, wherever it comes from.
    """
    hashes: dict[str, list[str]] = {"script": [], "style": []}
    for kind, text in _INLINE.findall(page().decode()):
        digest = base64.b64encode(sha256(text.encode()).digest()).decode()
        hashes[kind].append(f"'sha256-{digest}'")
    policy = [
        "default-src 'none'",
        f"script-src {' '.join(hashes['script'])}",
        f"style-src {' '.join(hashes['style'])}",
        "connect-src 'self'",
        "img-src data:",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
        "require-trusted-types-for 'script'",
        "trusted-types 'none'",
    ]
    return {**ASIDE_HEADERS, "content-security-policy": "; ".join(policy)}
