import sqlite3

import pytest

from reconcile.sandbox.credit import CreditStore
from reconcile.sandbox.world import World


def test_an_id_credits_once_even_if_the_caller_did_not_look(world: World, credit_store: CreditStore, make_request):
    request = make_request(world.purchases[0], "attempt-1")
    credit_store.make(request, polls_until_done=0)
    with pytest.raises(sqlite3.IntegrityError):
        credit_store.make(request, polls_until_done=0)
    assert len(credit_store.effective()) == 1


def test_a_pending_credit_takes_effect_at_the_poll_that_ends_it_and_only_once(
    world: World, credit_store: CreditStore, make_request
):
    credit = credit_store.make(make_request(world.purchases[0], "attempt-1"), polls_until_done=2)
    assert credit.status == "pending"
    assert credit_store.effective() == []
    seen = [credit_store.poll_by_server_id(credit.server_id).status for _ in range(4)]
    assert seen == ["pending", "completed", "completed", "completed"]
    assert len(credit_store.effective()) == 1


def test_asking_by_the_transaction_ends_a_pending_credit_as_well(world: World, credit_store: CreditStore, make_request):
    credit = credit_store.make(make_request(world.purchases[0], "attempt-1"), polls_until_done=1)
    assert credit_store.poll_by_reference(credit.transaction_reference).status == "completed"
    assert credit_store.find("attempt-1").status == "completed"


def test_nothing_is_found_under_an_unknown_name(credit_store: CreditStore):
    assert credit_store.find("nobody") is None
    assert credit_store.poll_by_server_id("nobody") is None
    assert credit_store.poll_by_reference("nobody") is None


def test_tries_are_counted_per_id(credit_store: CreditStore):
    assert [credit_store.count_try("a"), credit_store.count_try("a"), credit_store.count_try("b")] == [1, 2, 1]
