"""Values that are made without checks: the same as those of the constructor, and as frozen."""

from __future__ import annotations

import copy
import pickle
from typing import Any

import attrs
import pytest
from attrs import frozen

from regen_core.documents import BillingItem
from regen_core.transactions import StoredTransaction, new_transaction
from regen_core.unchecked import unchecked
from tests.unit.core.stored_lines import ONE, stored

VALUES = [ONE, ONE.header, ONE.header.key, ONE.items[0], stored(), stored().transaction]
"""Of classes with and without validators, with and without fields that are derived."""


def made_again(value: Any) -> Any:
    """The same value by way of its fields."""
    parts = [getattr(value, each.name) for each in attrs.fields(type(value)) if each.init]
    return unchecked(type(value))(*parts)


@pytest.mark.parametrize("value", VALUES, ids=lambda value: type(value).__name__)
def test_it_is_the_value_of_the_constructor(value: Any) -> None:
    """In every field, derived ones included, and in all that is done with values."""
    made = made_again(value)
    assert type(made) is type(value)
    assert (made, hash(made), repr(made)) == (value, hash(value), repr(value))
    for each in attrs.fields(type(value)):
        assert getattr(made, each.name) == getattr(value, each.name)
    assert copy.copy(made) == attrs.evolve(made) == pickle.loads(pickle.dumps(made)) == value  # noqa: S301  # its own


@pytest.mark.parametrize("value", VALUES, ids=lambda value: type(value).__name__)
def test_nothing_of_it_can_be_set_or_removed(value: Any) -> None:
    """As soon as anybody has it."""
    made, name = made_again(value), attrs.fields(type(value))[0].name
    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        setattr(made, name, None)
    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        delattr(made, name)
    with pytest.raises(AttributeError):
        made.unheard_of = 1


def test_no_validator_runs() -> None:
    """Control: what is made is checked by nobody, so it must have been checked before."""
    unfit = attrs.asdict(ONE.items[0], recurse=False) | {"id": ""}
    assert unchecked(BillingItem)(**unfit).id == ""
    with pytest.raises(ValueError, match="id is blank"):
        BillingItem(**unfit)


def test_a_class_with_parts_of_its_own_kind() -> None:
    """Each class has an open one of its own, and none of them is left on a value."""

    @frozen
    class Pair:
        first: object
        second: object

    pair = unchecked(Pair)
    assert type(pair(pair(1, 2), None).first) is Pair


def test_all_fields_of_a_transaction_are_needed() -> None:
    """No default is guessed."""
    parts = attrs.astuple(stored().transaction, recurse=False)
    assert StoredTransaction(new_transaction(*parts)) == stored()
    with pytest.raises(TypeError):
        new_transaction(*parts[:-1])
