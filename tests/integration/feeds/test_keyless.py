"""A ledger whose rows have no key: equal rows are counted, within a file and across files."""

import tempfile
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from reconcile.feeds.intake import Intake
from reconcile.feeds.side import side_of
from reconcile.feeds.staging import Staging

from .conftest import CONFIGURATION, NOON

HEADER = "type;msisdn;amount;currency;reference;posted_at"
TICKET = "RECHARGE;+2250707123456;1050;XOF;;2024-07-09 11:45:10"
OTHER = "RECHARGE;+2250707123456;1050;XOF;;2024-07-09 11:45:11"


@pytest.fixture
def keyless(operator):
    columns = {"row_key": "", "account": "msisdn"}
    operator.configure({**CONFIGURATION, "feed": [{**CONFIGURATION["feed"][1], "columns": columns}]})

    def deliver(name, *lines, **said):
        operator.deliver("ocs", name, "\n".join([HEADER, *lines]) + "\n", rows=len(lines), **said)
        operator.take("ocs")
        batch = operator.batch(name)
        assert batch["status"] == "published", batch["reason"]
        assert batch["raw_rows"] == sum(
            batch[f"{fate}_rows"] for fate in ("published", "quarantined", "duplicate", "out_of_scope")
        )
        return batch["published_rows"], batch["duplicate_rows"]

    return operator, deliver


def counts(operator):
    return Counter(row["posted_at"].second for row in operator.published("ocs"))


def test_three_identical_tickets_are_three_and_the_largest_count_of_any_file_holds(keyless):
    operator, deliver = keyless
    assert deliver("1.csv", TICKET, TICKET, OTHER, TICKET) == (4, 0)
    assert deliver("2.csv", TICKET, OTHER) == (0, 2), "half of it again"
    assert deliver("3.csv", TICKET, TICKET, TICKET, OTHER) == (0, 4), "in another order"
    assert deliver("4.csv", TICKET, TICKET, TICKET, TICKET) == (1, 3), "a fourth one"
    assert counts(operator) == {10: 4, 11: 1}
    assert len({row["entry_id"] for row in operator.published("ocs")}) == 5


def test_such_a_feed_is_never_more_than_assumed_so_a_person_approves_the_money(keyless):
    operator, deliver = keyless
    deliver("1.csv", TICKET)
    assert operator.watermark("ocs") == NOON
    assert operator.query("select grade from feeds")[0]["grade"] == "assumed"


def test_a_bad_row_is_kept_back_once_for_each_time_it_stands_there(keyless):
    operator, deliver = keyless
    bad = TICKET.replace("1050", "1O50")
    assert deliver("1.csv", TICKET, bad, bad) == (1, 0)
    assert deliver("2.csv", bad, TICKET, bad) == (0, 3)
    found = operator.query("select reason, account from quarantine where status = 'held'")
    assert [(row["reason"], row["account"]) for row in found] == [
        ("amount_is_readable: '1O50' is not an amount", "+2250707123456")
    ] * 2


def test_one_file_and_no_other_says_how_many_there_are(keyless, tmp_path):
    """Whatever is cut out of whatever deliveries, each row counts as often as in the delivery that has most of it."""
    operator, _ = keyless
    [feed] = operator.world.configuration.feeds
    flow = operator.world.configuration.flow("topup")
    side = side_of(operator.world.configuration, feed)

    def keys(lines):
        folder = Path(tempfile.mkdtemp(dir=tmp_path))
        (folder / "file.csv").write_text("\n".join([HEADER, *lines]) + "\n")
        with Staging(folder, side) as staging:
            Intake(feed, flow, side, NOON).stage(folder / "file.csv", staging)
            staging.judge([])
            return {fate.found["row_key"] for fate in staging.fates(100)}

    @settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(st.lists(st.lists(st.sampled_from([TICKET, OTHER]), max_size=6), max_size=3), st.randoms())
    def holds(deliveries, order):
        found = set()
        for lines in deliveries:
            order.shuffle(lines)
            found |= keys(lines)
        for row, second in ((TICKET, "114510"), (OTHER, "114511")):
            most = max((lines.count(row) for lines in deliveries), default=0)
            assert sum(f"T{second}." in key for key in found) == most

    holds()
