"""Any value of the library as plain JSON, to be shown; canonical JSON is what can be read back."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from enum import Enum
from typing import Any

import attrs

from regen_core.documents import CarriedFields

__all__ = ["plain"]


def plain(value: Any) -> Any:
    """Any value of the library as plain JSON: enums by value, moments in ISO 8601, amounts as text, sets in order."""
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, Decimal):
        return str(value)
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, CarriedFields):
        return plain(value.fields)
    if isinstance(value, Mapping):
        return {str(plain(name)): plain(part) for name, part in value.items()}
    if isinstance(value, (set, frozenset)):
        return sorted(plain(part) for part in value)
    if isinstance(value, (tuple, list)):
        return [plain(part) for part in value]
    if attrs.has(type(value)):
        return {each.name: plain(getattr(value, each.name)) for each in attrs.fields(type(value)) if each.init}
    return value
