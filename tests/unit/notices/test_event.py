import pytest

from reconcile.notices.event import KINDS, kind_of


@pytest.mark.parametrize("kind", KINDS)
def test_an_event_has_its_kind_and_may_have_a_number(kind):
    assert kind_of(kind) == kind
    assert kind_of(f"{kind}:12") == kind


@pytest.mark.parametrize("name", ["", "paid", "delayed:", "delayed:two", "delayed:2:3", "Detected"])
def test_anything_else_is_nothing_that_a_customer_is_told(name):
    with pytest.raises(ValueError, match="is no event that a customer is told"):
        kind_of(name)
