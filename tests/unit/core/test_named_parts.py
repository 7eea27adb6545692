"""Values whose parts could be mixed up are built by name only: a place among many says nothing."""

from __future__ import annotations

import pytest

from regen_core.attempts import RetryPolicy
from regen_core.documents import BillingItem, DocumentHeader, DocumentKey
from regen_core.field_table import FieldRow
from regen_core.fields import FlatCell
from regen_core.migration import Run, RunCounts
from regen_core.reconciliation import Variance

BY_NAME = (BillingItem, DocumentHeader, DocumentKey, FieldRow, FlatCell, RetryPolicy, Run, RunCounts, Variance)


@pytest.mark.parametrize("made", BY_NAME, ids=lambda made: made.__name__)
def test_no_part_is_told_by_its_place(made: type) -> None:
    with pytest.raises(TypeError, match="takes 1 positional argument but 2 were given"):
        made("told by its place")
