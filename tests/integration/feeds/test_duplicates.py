"""Delivering a file again, half of it, or its rows in another order changes nothing."""

import random
from datetime import timedelta

import pytest

from .conftest import CONFIGURATION, NOON, entry, message


def counts(operator, source):
    batch = operator.batch(source)
    return tuple(batch[f"{fate}_rows"] for fate in ("raw", "published", "quarantined", "duplicate", "out_of_scope"))


def test_a_row_of_another_file_is_not_counted_twice(operator):
    operator.ledger("1.csv", [entry("E1"), entry("E2")])
    operator.ledger("2.csv", [entry("E2"), entry("E3"), entry("E1")])
    operator.take("ocs")
    assert counts(operator, "2.csv") == (3, 1, 0, 2, 0)
    assert operator.batch("2.csv")["money"]["XOF"]["duplicate"] == 2100
    assert len(operator.published("ocs")) == 3


def test_a_row_that_stands_twice_in_one_file_counts_once(operator):
    operator.ledger("1.csv", [entry("E1"), entry("E2"), entry("E1")])
    operator.take("ocs")
    assert counts(operator, "1.csv") == (3, 2, 0, 1, 0)


def test_a_message_delivered_again_is_a_duplicate(operator):
    operator.messages("1.jsonl", [message("M1")])
    operator.messages("2.jsonl", [message("M1"), message("M2")])
    operator.take("smsc")
    assert counts(operator, "2.jsonl") == (2, 1, 0, 1, 0)


def test_a_duplicate_is_recognised_days_later(operator):
    operator.ledger("1.csv", [entry("E1")])
    operator.take("ocs")
    operator.at(NOON + timedelta(days=30))
    operator.ledger("2.csv", [entry("E1"), entry("E2", at="2024-08-08 11:00:00")], through=NOON + timedelta(days=30))
    operator.take("ocs")
    assert counts(operator, "2.csv") == (2, 1, 0, 1, 0)


def test_a_key_with_another_content_is_quarantined_and_what_was_published_stands(operator):
    operator.ledger("1.csv", [entry("E1")])
    operator.ledger("2.csv", [entry("E1", amount="2000"), entry("E2")])
    operator.take("ocs")
    assert counts(operator, "2.csv") == (2, 1, 1, 0, 0)
    (row,) = operator.query("select * from quarantine")
    assert row["reason"].startswith("key_has_one_content: a row with this key was published before")
    assert (row["account"], row["status"]) == ("+2250707123456", "held")
    assert [row["amount_minor"] for row in operator.published("ocs")] == [1050, 1050]


@pytest.mark.parametrize("order", [1, -1])
def test_of_two_contents_under_one_key_in_one_file_neither_is_published(operator, order):
    operator.ledger("1.csv", [entry("E1"), entry("E1", amount="2000"), entry("E2")][::order])
    operator.take("ocs")
    assert counts(operator, "1.csv") == (3, 1, 2, 0, 0)
    assert [row["reference"] for row in operator.published("ocs")] == ["RC240709.1145.A00011"]


def test_a_bad_row_delivered_again_is_a_duplicate_too(operator):
    bad, keyless = entry("E1", amount="?"), entry("", amount="7")
    operator.ledger("1.csv", [bad, keyless, entry("E2")])
    operator.ledger("2.csv", [bad, keyless, entry("E2")])
    operator.take("ocs")
    assert counts(operator, "2.csv") == (3, 0, 0, 3, 0)
    assert len(operator.query("select * from quarantine where status = 'held'")) == 2


def rows_of_a_day():
    """Purchases, reversals, bonuses, bad rows and their corrections, as one feed may deliver them."""
    rows = [entry(f"E{number:03}", amount=str(100 + number), reference=f"RC{number}") for number in range(30)]
    rows += [
        entry(f"R{number}", kind="REVERSAL", amount=str(100 + number), reference=f"RC{number}") for number in range(3)
    ]
    rows += [entry(f"B{number}", kind="BONUS") for number in range(3)]
    return rows


@pytest.mark.parametrize("seed", range(6))
def test_however_rows_are_cut_into_files_and_repeated_the_same_rows_are_published(operator, seed):
    rows, draw = rows_of_a_day(), random.Random(seed)
    bad = entry("E007", amount="1O7", reference="RC7")
    deliveries = [draw.sample(rows, draw.randint(1, len(rows))) for _ in range(4)] + [list(rows)]
    deliveries.insert(draw.randrange(5), [bad, *draw.sample(rows, 12)])
    for number, lines in enumerate(deliveries):
        draw.shuffle(lines)
        operator.ledger(f"{number}.csv", lines)
        if draw.random() < 0.5:
            operator.take("ocs")
    operator.take("ocs")
    published = sorted((row["reference"], row["kind"], row["amount_minor"]) for row in operator.published("ocs"))
    expected = [(f"RC{number}", "purchase", 100 + number) for number in range(30)]
    expected += [(f"RC{number}", "reversal", -100 - number) for number in range(3)]
    assert published == sorted(expected)
    assert operator.query("select * from quarantine where status = 'held'") == []
    for batch in operator.query("select * from batches"):
        parts = ("published", "quarantined", "duplicate", "out_of_scope")
        assert batch["raw_rows"] == sum(batch[f"{part}_rows"] for part in parts)
        assert batch["money"]["XOF"]["raw"] == sum(batch["money"]["XOF"][part] for part in parts)


def test_duplicates_are_looked_for_only_where_they_can_be(operator):
    """Keys that go up, as ids do, meet no range of an earlier batch: nothing is read to find that there is no duplicate."""
    from reconcile.feeds import manifest
    from reconcile.feeds.staging import Span

    for number in range(4):
        operator.ledger(f"{number}.csv", [entry(f"E{number}{digit}") for digit in range(10)])
    operator.take("ocs")
    feed = operator.world.configuration.feed(CONFIGURATION["feed"][1]["name"])
    hour = timedelta(hours=1)

    def candidates(first, last, earliest=NOON - hour):
        with operator.database.begin() as connection:
            return len(manifest.overlapping(connection, feed, Span(first, last, earliest), NOON - hour).files)

    assert candidates("E40", "E99") == 0
    assert candidates("E15", "E19") == 1
    assert candidates("E15", "E20") == 2
    assert candidates("A", "Z") == 4
