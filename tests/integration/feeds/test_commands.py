"""The commands for quarantine and batches, as an engineer types them."""

import json
import sys
from dataclasses import replace
from types import SimpleNamespace

import pytest

from reconcile.cli import console, main

from .conftest import entry


@pytest.fixture
def reconcile(operator, capsys, monkeypatch):
    """Runs a command in the operator's world; gives its exit code and what it printed."""
    monkeypatch.setattr(console, "application", lambda: SimpleNamespace(world=operator.world))
    monkeypatch.setattr(console, "out", console.Console(width=300))
    monkeypatch.setattr(console, "err", console.Console(width=300, stderr=True))

    def run(*arguments):
        monkeypatch.setattr(sys, "argv", ["reconcile", *map(str, arguments)])
        with pytest.raises(SystemExit) as ended:
            main()
        said = capsys.readouterr()
        return ended.value.code, said.out + said.err

    return run


@pytest.fixture
def kept_back(operator):
    """Three rows in quarantine: one holds an account, one everybody, one is a message."""
    operator.ledger(
        "1.csv", [entry("E1", amount="1O5O"), entry("E2", account="?", reference="", amount="?"), entry("E3")]
    )
    operator.take("ocs")
    return {row["row_key"]: row for row in operator.query("select * from quarantine")}


def test_the_list_counts_by_expectation_and_says_whom_each_row_holds(reconcile, kept_back):
    code, said = reconcile("quarantine", "list")
    assert code == 0
    assert "ocs: amount_is_readable 2, account_is_readable 1" in said
    assert "purchases for ••••56 and the purchase RC240709.1145.A00011" in said
    assert "everybody: its period is not proven" in said
    assert "0707123456" not in said
    _, said = reconcile("quarantine", "list", "--broke", "account_is_readable", "--json")
    assert [row["row_key"] for row in json.loads(said)["rows"]] == ["E2"]
    assert reconcile("quarantine", "list", "--older-than", 1)[1].strip() == "nothing is kept back"


def test_a_row_is_only_revealed_with_a_reason_which_is_noted(reconcile, operator, kept_back):
    row = kept_back["E1"]["quarantine_id"]
    _, said = reconcile("quarantine", "show", row)
    assert "••••56" in said
    assert "0707123456" not in said
    assert reconcile("quarantine", "show", row, "--reveal")[0] == 2
    _, said = reconcile("quarantine", "show", row, "--reveal", "--reason", "a complaint")
    assert "raw: E1;RECHARGE;+2250707123456;1O5O" in said
    (noted,) = operator.query("select reason, evidence from audit where action = 'quarantine_revealed'")
    assert tuple(noted.values()) == ("a complaint", {})


def test_a_row_is_dismissed_once(reconcile, operator, kept_back):
    row = kept_back["E2"]["quarantine_id"]
    assert reconcile("quarantine", "dismiss", row, "--reason", "a test row")[0] == 0
    code, said = reconcile("quarantine", "dismiss", row, "--reason", "a test row")
    assert (code, "is held in quarantine" in said) == (2, True)


def test_a_replay_says_what_came_of_each_batch(reconcile, operator, kept_back):
    code, said = reconcile("quarantine", "replay", "--feed", "ocs", "--reason", "to see")
    assert (code, "1.csv: 0 published, 0 left the quarantine" in said) == (0, True)


def test_a_batch_is_listed_shown_withdrawn_and_released(reconcile, operator, kept_back):
    _, said = reconcile("batch", "list", "--json")
    (batch,) = json.loads(said)
    assert (batch["status"], batch["raw_rows"], batch["published_rows"], batch["quarantined_rows"]) == (
        "published", 3, 1, 2
    )  # fmt: skip
    assert "1.csv" in reconcile("batch", "list", "--status", "published")[1]
    assert "nothing was decided on its rows" in reconcile("batch", "show", batch["batch_id"])[1]
    code, said = reconcile("batch", "withdraw", batch["batch_id"], "--reason", "another operator's")
    assert (code, "its rows leave with the next fold" in said) == (0, True)
    assert "reason: another operator's" in reconcile("batch", "show", batch["batch_id"])[1]
    code, said = reconcile("batch", "withdraw", batch["batch_id"], "--reason", "again")
    assert (code, "only one that is published can be withdrawn" in said) == (2, True)
    assert reconcile("batch", "release", batch["batch_id"], "--reason", "nothing is to come")[0] == 0
    assert {row["status"] for row in operator.query("select status from quarantine")} == {"dismissed"}


def test_a_batch_that_does_not_exist_is_a_clear_error(reconcile):
    code, said = reconcile("batch", "show", "00000000-0000-0000-0000-000000000000")
    assert (code, "there is no batch" in said) == (2, True)


@pytest.mark.parametrize(
    "command", [("batch", "list"), ("quarantine", "list"), ("quarantine", "replay", "--reason", "to see")]
)
def test_a_feed_that_does_not_exist_is_a_clear_error(reconcile, command):
    code, said = reconcile(*command, "--feed", "nosuch")
    assert (code, "there is no feed 'nosuch'; configured: smsc, ocs" in said) == (2, True)
    assert reconcile(*command, "--feed", "ocs")[0] == 0


def test_the_batches_of_a_feed_that_was_taken_out_of_the_configuration_are_still_listed(
    reconcile, operator, kept_back, monkeypatch
):
    configuration = operator.world.configuration
    rest = tuple(feed for feed in configuration.feeds if feed.name != "ocs")
    operator.world = replace(operator.world, configuration=configuration.model_copy(update={"feeds": rest}))
    monkeypatch.setattr(console, "application", lambda: SimpleNamespace(world=operator.world))
    assert "1.csv" in reconcile("batch", "list", "--feed", "ocs")[1]
    assert "1.csv" in reconcile("quarantine", "list", "--feed", "ocs")[1]
