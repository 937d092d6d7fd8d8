"""Up to when a feed is said to be complete, with real deliveries."""

import os
import time
from datetime import timedelta

import pytest
import sqlalchemy as sa

from reconcile.store.tables import feeds

from .conftest import CONFIGURATION, NOON, entry

FIVE, TEN = NOON - timedelta(minutes=10), NOON - timedelta(minutes=5)


def test_a_refused_delivery_stops_the_watermark_until_it_is_made_good(operator):
    operator.ledger("1155.csv", [entry("E1")], through=FIVE)
    operator.ledger("1157.csv", [entry("E2")], rows=2, through=TEN)
    operator.ledger("1200.csv", [entry("E3")])
    operator.take("ocs")
    assert operator.watermark("ocs") == FIVE
    assert len(operator.published("ocs")) == 2, "what came after it is published all the same"
    operator.ledger("1157.csv", [entry("E2"), entry("E4")], through=TEN)
    operator.take("ocs")
    assert operator.watermark("ocs") == NOON


def test_a_refused_delivery_is_judged_again_when_it_is_delivered_again(operator):
    feed = {**CONFIGURATION["feed"][1], "columns": {"account": "telephone"}}
    right = operator.world.configuration
    operator.configure({**CONFIGURATION, "feed": [feed]})
    path = operator.ledger("1.csv", [entry("E1")])
    operator.take("ocs")
    assert operator.batch("1.csv")["status"] == "refused"
    operator.use(right)
    operator.take("ocs")
    assert operator.batch("1.csv")["status"] == "refused", "nothing was delivered since"
    os.utime(path, (time.time() + 9, time.time() + 9))
    operator.take("ocs")
    assert operator.batch("1.csv")["status"] == "published"
    assert operator.batch("1.csv")["reason"] is None
    assert operator.watermark("ocs") == NOON


def test_a_delivery_without_its_control_file_stops_those_after_it(operator):
    operator.ledger("1.csv", [entry("E1")], through=FIVE)
    waiting = operator.ledger("2.csv", [entry("E2")], control=False)
    operator.ledger("3.csv", [entry("E3")])
    operator.take("ocs")
    assert operator.watermark("ocs") == FIVE
    assert len(operator.published("ocs")) == 2
    waiting.unlink()
    operator.ledger("2.csv", [entry("E2")], through=TEN)
    operator.take("ocs")
    assert operator.watermark("ocs") == NOON


def test_a_control_file_without_its_data_stops_those_after_it(operator):
    lost = operator.ledger("1.csv", [entry("E1")], through=FIVE)
    lost.unlink()
    operator.ledger("2.csv", [entry("E2")])
    operator.take("ocs")
    assert operator.watermark("ocs") is None


def test_what_is_cleared_away_after_it_was_taken_stops_nothing(operator):
    first, second = (operator.ledger(f"{name}.csv", [entry(f"E{name}")], through=FIVE) for name in (1, 2))
    operator.take("ocs")
    first.unlink()
    second.with_name("2.csv.ctl").unlink()
    operator.ledger("3.csv", [entry("E3")])
    operator.take("ocs")
    assert operator.watermark("ocs") == NOON


def test_a_delivery_from_the_future_waits_for_its_time(operator):
    operator.ledger("1.csv", [entry("E1")], through=NOON + timedelta(minutes=5))
    assert operator.take("ocs") == []
    operator.at(NOON + timedelta(minutes=5))
    assert len(operator.take("ocs")) == 1
    assert operator.watermark("ocs") == NOON + timedelta(minutes=5)


def test_a_row_that_could_be_anybodys_leaves_its_period_unproven(operator):
    operator.ledger("1.csv", [entry("E1")], through=FIVE)
    operator.ledger("2.csv", [entry("E2", account="?", reference="", amount="?")])
    operator.take("ocs")
    assert operator.watermark("ocs") == FIVE
    operator.ledger("3.csv", [entry("E2")], through=NOON)
    operator.take("ocs")
    assert operator.watermark("ocs") == NOON


def test_a_row_whose_customer_is_known_holds_only_that_customer(operator):
    operator.ledger("1.csv", [entry("E1", amount="?")])
    operator.take("ocs")
    assert operator.watermark("ocs") == NOON


def test_a_late_delivery_does_not_move_the_watermark_back(operator):
    operator.ledger("2.csv", [entry("E2")])
    operator.take("ocs")
    operator.ledger("1.csv", [entry("E1")], through=FIVE)
    operator.take("ocs")
    assert operator.watermark("ocs") == NOON


@pytest.fixture
def assumed(operator):
    """The same operator, whose ledger says nothing about its completeness."""
    feed = {**CONFIGURATION["feed"][1], "completeness": {"kind": "delay", "delay": "20m"}}
    operator.configure({**CONFIGURATION, "feed": [feed]})
    return operator


def settle(path):
    """As if the file had been there for a while."""
    os.utime(path, (time.time() - 60, time.time() - 60))


def test_without_control_files_completeness_is_assumed_after_a_delay(assumed):
    assumed.take("ocs")
    assert assumed.watermark("ocs") == NOON - timedelta(minutes=20)
    (row,) = assumed.query("select grade from feeds")
    assert row["grade"] == "assumed"


def test_without_control_files_a_file_is_taken_when_it_has_stopped_changing(assumed):
    path = assumed.ledger("1.csv", [entry("E1")], control=False)
    assert assumed.take("ocs") == []
    settle(path)
    assert len(assumed.take("ocs")) == 1


def test_an_assumption_ends_where_a_delivery_is_refused(assumed):
    assumed.take("ocs")
    settle(assumed.deliver("ocs", "1.csv", "no header of ours\n", control=False))
    assumed.at(NOON + timedelta(minutes=5))
    assumed.take("ocs")
    assert assumed.watermark("ocs") == NOON - timedelta(minutes=20)


def test_the_database_refuses_a_watermark_that_moves_back(operator):
    operator.ledger("1.csv", [entry("E1")])
    operator.take("ocs")
    with pytest.raises(sa.exc.IntegrityError, match="may not move back"), operator.database.begin() as connection:
        connection.execute(sa.update(feeds).values(watermark=FIVE))
