"""Rows that become visible later than their time, while a feed is being read."""

import random
import threading
import time
from datetime import UTC, datetime, timedelta

import pytest

from reconcile.feeds.sql.look import Look

from .charging import keys, read_by

WRITERS = 8
LONGEST_SECONDS = 2.5  # longer than the commit lag of one second: the lag alone does not cover it


def test_a_row_that_is_committed_after_later_ones_is_not_passed(reader, charging):
    operator = reader()
    with charging.engine.connect() as slow:
        began = charging.on(slow, "SELECT now()").scalar_one()  # its first row is written only later
        time.sleep(1.2)
        charging.post("LATER")
        operator.take("ocs")
        assert keys(operator) == ["LATER"]
        assert operator.watermark("ocs") < began, "the watermark waits for whoever may still write"
        charging.post_on(slow, "EARLIER")
        operator.take("ocs")
        assert keys(operator) == ["LATER"]
        slow.commit()
    operator.take("ocs")
    assert keys(operator) == ["LATER", "EARLIER"]
    assert operator.watermark("ocs") > began


@pytest.mark.parametrize("seed", [1, 2])
def test_what_eight_writers_commit_out_of_order_is_published_once_and_never_below_the_watermark(reader, charging, seed):
    operator = reader()
    committed = {}
    failures = []

    def write(number):
        dice = random.Random(f"{seed}/{number}")
        try:
            for turn in range(12):
                key = f"{number}-{turn}"
                with charging.engine.connect() as connection:
                    # A row has the time at which its transaction began, or a later one.
                    stamp = charging.on(connection, "SELECT now()").scalar_one()
                    seconds = LONGEST_SECONDS if dice.random() < 0.1 else dice.random() * 0.3
                    time.sleep(seconds * dice.random())
                    clock = dice.choice(["now()", "clock_timestamp()"])
                    if clock != "now()":
                        stamp = charging.on(connection, "SELECT clock_timestamp()").scalar_one()
                    charging.post_on(connection, key, posted_at=stamp)
                    time.sleep(seconds * 0.5)
                    if dice.random() < 0.1:
                        connection.rollback()
                    else:
                        connection.commit()
                        committed[key] = stamp
        except Exception as error:  # noqa: BLE001 - shown by the assertion
            failures.append(error)

    writers = [threading.Thread(target=write, args=(number,)) for number in range(WRITERS)]
    for writer in writers:
        writer.start()
    seen, out_of_order = set(), 0
    newest = watermark = datetime.min.replace(tzinfo=UTC)
    quiet = 0
    while quiet < 2:
        quiet += not any(writer.is_alive() for writer in writers)
        operator.take("ocs")
        published = {row["reference"].removeprefix("RC-"): row["posted_at"] for row in operator.published("ocs")}
        fresh = [published[key] for key in published.keys() - seen]
        assert all(moment >= watermark for moment in fresh), "a row came for a period that was called complete"
        out_of_order += sum(moment < newest for moment in fresh)
        seen, watermark, newest = set(published), operator.watermark("ocs") or watermark, max([newest, *fresh])
    assert failures == []
    assert sorted(keys(operator)) == sorted(committed), "each committed row is published exactly once"
    assert out_of_order > 0, "the run must have had what it is about"


def test_a_transaction_that_stays_open_holds_the_watermark_and_nothing_else(reader, charging):
    operator = reader()
    with charging.engine.connect() as idle:
        began = charging.on(idle, "SELECT now()").scalar_one()
        for key in ("E1", "E2"):
            time.sleep(0.6)
            charging.post(key)
            operator.take("ocs")
            assert operator.watermark("ocs") == began - timedelta(seconds=1)
    assert keys(operator) == ["E1", "E2"]
    operator.take("ocs")
    assert operator.watermark("ocs") > began


def test_transactions_of_others_are_unseen_without_the_right_to_see_them(operator, charging, postgres):
    """Then the operator's word about the commit lag is all there is."""
    name = charging.engine.url.database
    postgres.database("elsewhere", owner="onlooker")
    charging.run(f"GRANT CONNECT ON DATABASE {name} TO onlooker; GRANT SELECT ON entries TO onlooker")
    charging.run("GRANT USAGE ON SCHEMA public TO onlooker")
    read_by(operator, postgres.url(name, owner="onlooker"))
    with charging.engine.connect() as slow:
        charging.on(slow, "SELECT now()").scalar_one()
        time.sleep(1.5)
        before = charging.clock()
        operator.take("ocs")
        assert operator.watermark("ocs") >= before - timedelta(seconds=1)


NOON = datetime(2024, 7, 9, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


@pytest.mark.parametrize(
    ("look", "through"),
    [
        (Look(NOON, None, prepared=False, unseen=False), NOON - MINUTE),
        (Look(NOON - 5 * MINUTE, None, prepared=False, unseen=False), NOON - 6 * MINUTE),
        (Look(NOON + 5 * MINUTE, None, prepared=False, unseen=True), NOON - MINUTE),
        (Look(NOON, NOON - 3 * MINUTE, prepared=False, unseen=False), NOON - 4 * MINUTE),
        (Look(NOON, NOON - 30 * MINUTE, prepared=False, unseen=False), NOON - 20 * MINUTE),
        (Look(NOON, None, prepared=True, unseen=False), NOON - 20 * MINUTE),
    ],
    ids=[
        "the lag",
        "a clock behind",
        "a clock ahead",
        "an open transaction",
        "one that was open before",
        "a prepared one",
    ],
)
def test_complete_is_what_lies_before_the_earliest_that_can_still_be_written(look, through):
    assert look.complete_through(NOON - 20 * MINUTE, NOON, MINUTE) == through
