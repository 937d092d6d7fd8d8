"""A message of long ago that comes again, through the gate and the fold: whichever way it comes, no machine pays it."""

from copy import deepcopy
from datetime import timedelta

import pytest

from reconcile.feeds.quarantine import Filter
from reconcile.jobs.fold_flow import fold_flow
from reconcile.jobs.housekeeping import housekeep
from reconcile.jobs.replaying import read_again, replay_quarantine
from reconcile.jobs.withdrawing import withdraw_batch
from reconcile.remedy import modes

from .conftest import AKWABA, CONFIGURATION, NOON, entry, message

LATER = NOON + timedelta(days=30)
FORGOTTEN = "it was told before what can still be looked up: a person decides"
UNREAD = "Akwaba! 1050 F pour toi [RC240709.1145.A00011]"
TEMPLATE = (
    AKWABA
    + """
[[template.examples]]
country = "CI"
text = "Akwaba! 1050 F pour toi [RC240709.1145.A00077]"
amount = "1050"
currency = "XOF"
reference = "RC240709.1145.A00077"

[[template.examples]]
country = "CI"
text = "Akwaba! 500 F pour toi [RC240709.1145.A00078]"
amount = "500"
currency = "XOF"
reference = "RC240709.1145.A00078"
"""
)


@pytest.fixture
def month(operator):
    """Delivers the messages and a credit of the first day, and lets a month pass; the flow pays."""

    def pass_(*messages, **changes):
        operator.configure({**deepcopy(CONFIGURATION), **changes})
        flow = operator.world.configuration.flow("topup")
        with operator.database.begin() as connection:
            modes.activate(
                connection, flow="topup", mode="live", limits=modes.Limits.of(flow, operator.world.configuration.policy("topup")),
                actor="user:awa", reason="test", now=NOON,
            )  # fmt: skip
        operator.messages("01.jsonl", list(messages))
        operator.ledger("01.csv", [entry("E1")])
        run(operator, NOON)
        for day in (10, 20, 30):
            moment = NOON + timedelta(days=day)
            operator.messages(f"{day}.jsonl", [], through=moment)
            operator.ledger(f"{day}.csv", [], through=moment)
            run(operator, moment)

    return pass_


def run(operator, moment):
    operator.at(moment)
    operator.take("smsc")
    operator.take("ocs")
    fold_flow(operator.world, "topup")


def deliver_again(operator, row):
    operator.messages("99.jsonl", [row], through=LATER + timedelta(hours=1))
    operator.ledger("99.csv", [], through=LATER + timedelta(hours=1))
    run(operator, LATER + timedelta(hours=1))


def cases(operator):
    found = operator.query("select kind, blocked, disposition, owner from cases where kind <> 'orphan_credit'")
    return [tuple(row.values()) for row in found]


def is_left_to_a_person(operator):
    """In this run and in those that follow, whoever is told nothing and paid nothing."""
    for days in (1, 2, 9):
        moment = LATER + timedelta(days=days)
        operator.messages(f"99-{days}.jsonl", [], through=moment)
        operator.ledger(f"99-{days}.csv", [], through=moment)
        run(operator, moment)
        assert cases(operator) == [("never_credited", FORGOTTEN, "review", "queue:blocked")]
    return operator.query("select * from intents") == operator.query("select * from notices") == []


def test_the_same_message_in_another_file_is_a_duplicate_a_month_later(operator, month):
    month(message("M1"))
    deliver_again(operator, message("M1"))
    assert operator.batch("99.jsonl")["duplicate_rows"] == 1
    assert cases(operator) == []


def test_the_same_purchase_under_another_message_id(operator, month):
    month(message("M1"))
    deliver_again(operator, message("M1-resent"))
    assert operator.batch("99.jsonl")["published_rows"] == 1
    assert is_left_to_a_person(operator)


def test_the_same_message_when_its_first_copy_is_beyond_its_retention(operator, month):
    month(message("M1"), retention={"published": "10d"})
    operator.at(LATER)
    housekeep(operator.world)
    deliver_again(operator, message("M1"))
    assert operator.batch("99.jsonl")["published_rows"] == 1
    assert is_left_to_a_person(operator)


def test_a_message_that_nothing_could_read_and_a_template_reads_a_month_later(operator, month):
    month(message("M1", UNREAD))
    file = operator.folder / "akwaba.toml"
    file.write_text(TEMPLATE)
    configuration = deepcopy(CONFIGURATION)
    configuration["feed"][0]["templates"] = [str(file)]
    operator.configure(configuration)
    (done,) = replay_quarantine(operator.world, Filter(feed="smsc"), actor="user:ines", reason="template akwaba")
    assert done.replay.counts["published"] == 1
    assert is_left_to_a_person(operator)


def test_a_batch_of_a_month_ago_that_is_withdrawn_and_read_again(operator, month):
    month(message("M1"))
    batch_id = operator.batch("01.jsonl")["batch_id"]
    withdraw_batch(operator.world, batch_id, actor="user:ines", reason="the template read the wrong figure")
    read_again(operator.world, batch_id, actor="user:ines", reason="the template was corrected")
    assert is_left_to_a_person(operator)
