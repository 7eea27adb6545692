"""What could be mixed up is told by name only: a place among many says nothing, and a flag alone even less."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from regen_core.attempts import RetryPolicy, after_attempt, pause_after
from regen_core.documents import BillingItem, DocumentHeader, DocumentKey
from regen_core.field_table import FieldRow
from regen_core.fields import FlatCell
from regen_core.migration import Run, RunCounts, accept, progress
from regen_core.reconciliation import Variance

BY_NAME = (BillingItem, DocumentHeader, DocumentKey, FieldRow, FlatCell, RetryPolicy, Run, RunCounts, Variance)


@pytest.mark.parametrize("made", BY_NAME, ids=lambda made: made.__name__)
def test_no_part_is_told_by_its_place(made: type) -> None:
    with pytest.raises(TypeError, match="takes 1 positional argument but 2 were given"):
        made("told by its place")


@pytest.mark.parametrize(("function", "places"), [(accept, 3), (progress, 3), (after_attempt, 1), (pause_after, 1)])
def test_no_flag_is_told_by_its_place(function: Callable[..., Any], places: int) -> None:
    by_place = [None] * (places + 1)
    with pytest.raises(TypeError, match=f"takes {places} positional arguments? but {places + 1}"):
        function(*by_place)
