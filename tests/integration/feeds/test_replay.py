"""Rows read again: after the configuration was mended, after a template was added, after a batch was withdrawn."""

from copy import deepcopy
from datetime import timedelta
from decimal import Decimal

import pytest

from reconcile.domain.ids import entry_id
from reconcile.domain.refusal import NotAllowedError
from reconcile.feeds import side, values
from reconcile.feeds.messages import Catalogue
from reconcile.feeds.messages.catalogue import builtin
from reconcile.feeds.quarantine import Filter
from reconcile.jobs.fold_flow import fold_flow
from reconcile.jobs.replaying import read_again, replay_quarantine
from reconcile.jobs.withdrawing import withdraw_batch

from .conftest import AKWABA, CONFIGURATION, NOON, entry, message

FATES = ("published", "quarantined", "duplicate", "out_of_scope")
SPOKEN = "Akwaba! 1050 F pour toi [{}]"
EXAMPLE = """
[[template.examples]]
country = "CI"
text = "Akwaba! {0} F pour toi [RC240709.1145.A00077]"
amount = "{0}"
currency = "XOF"
reference = "RC240709.1145.A00077"
"""


def configured(**changes):
    """The usual configuration with other keys of the ledger's feed."""
    changed = deepcopy(CONFIGURATION)
    changed["feed"][1].update(changes)
    return changed


def replay(operator, feed="ocs", **meant):
    return replay_quarantine(operator.world, Filter(feed=feed, **meant), actor="user:ines", reason="mended")


def statuses(operator):
    found = operator.query("select row_key, status from quarantine order by row_key, quarantined_at")
    return [tuple(row.values()) for row in found]


def nothing_is_lost(operator):
    for batch in operator.query("select * from batches where status in ('published', 'withdrawn')"):
        assert batch["raw_rows"] == sum(batch[f"{fate}_rows"] for fate in FATES), batch["source"]
        for amounts in batch["money"].values():
            assert amounts["raw"] == sum(amounts[fate] for fate in FATES), batch["source"]
    return True


def test_rows_are_published_once_the_configuration_reads_them(operator):
    operator.ledger("1.csv", [entry("E1", amount="1050,00"), entry("E2"), entry("E3", amount="?")])
    operator.take("ocs")
    assert statuses(operator) == [("E1", "held"), ("E3", "held")]
    operator.configure(configured(decimal=","))
    operator.at(NOON + timedelta(hours=1))
    (done,) = replay(operator)
    assert (done.replay.released, done.replay.counts) == (
        1, {"published": 1, "quarantined": 0, "duplicate": 1, "out_of_scope": 0}
    )  # fmt: skip
    assert statuses(operator) == [("E1", "replayed"), ("E3", "held")]
    assert [(row["row_number"], row["amount_minor"]) for row in operator.published("ocs")] == [(3, 1050), (2, 1050)]
    assert nothing_is_lost(operator)
    (noted,) = operator.query("select actor, reason, evidence from audit where action = 'rows_replayed'")
    assert (noted["actor"], noted["reason"], noted["evidence"]["released_rows"]) == ("user:ines", "mended", 1)


def test_replaying_again_finds_nothing_to_do(operator):
    operator.ledger("1.csv", [entry("E1", amount="1050,00"), entry("E3", amount="?")])
    operator.take("ocs")
    operator.configure(configured(decimal=","))
    replay(operator)
    before = operator.query("select count(*) as batches from batches")
    (done,) = replay(operator)
    assert done.replay.batch_id is None
    assert operator.query("select count(*) as batches from batches") == before
    assert len(operator.published("ocs")) == 1


def test_a_row_that_could_have_been_anybodys_gives_its_period_free_once_it_is_read(operator):
    operator.ledger("1.csv", [entry("E1", account="07-07-12-34-56 (Awa)", reference=""), entry("E2")])
    operator.take("ocs")
    assert operator.watermark("ocs") is None
    operator.configure(configured(kinds={"purchase": ["TRANSFER"], "reversal": ["REVERSAL"]}))
    (done,) = replay(operator)
    assert (done.replay.counts["out_of_scope"], statuses(operator)) == (1, [("E1", "replayed")])
    operator.take("ocs")
    assert operator.watermark("ocs") == NOON
    assert nothing_is_lost(operator)


def test_only_the_rows_that_are_meant_are_read_again(operator):
    operator.ledger("1.csv", [entry("E1", amount="1050,00"), entry("E2", account="?", amount="1050,00")])
    operator.take("ocs")
    operator.configure(configured(decimal=","))
    assert replay(operator, broke="time_is_readable") == []
    (done,) = replay(operator, broke="account_is_readable")
    assert done.replay.released == 0
    assert operator.query("select reason from quarantine where row_key = 'E2'") == [
        {"reason": "account_is_readable: not a phone number"}
    ]


def test_a_message_is_published_once_there_is_a_template_for_it(operator, monkeypatch, tmp_path):
    text = SPOKEN.format("RC240709.1145.A00077")
    operator.messages("1.jsonl", [message("M1", text), message("M2")])
    operator.take("smsc")
    assert statuses(operator) == [("M1", "held")]
    with_template(monkeypatch, tmp_path)
    (done,) = replay(operator, "smsc")
    assert (done.replay.counts["published"], statuses(operator)) == (1, [("M1", "replayed")])
    (row,) = [row for row in operator.published("smsc") if row["message_id"] == "M1"]
    assert (row["amount_minor"], row["reference"]) == (1050, "RC240709.1145.A00077")
    operator.messages("2.jsonl", [message("M1", text)])
    operator.take("smsc")
    assert operator.batch("2.jsonl")["duplicate_rows"] == 1
    assert nothing_is_lost(operator)


def test_a_withdrawn_batch_that_is_read_again_stands_in_its_own_place(operator):
    operator.ledger("1.csv", [entry("E1", amount="1050"), entry("E2", amount="2100")])
    (wrong,) = operator.take("ocs")
    withdraw_batch(operator.world, wrong, actor="user:ines", reason="another decimal mark")
    assert operator.published("ocs") == []
    operator.configure(configured(columns={"account": "msisdn", "own_key": "external_id"}, region="CI"))
    operator.at(NOON + timedelta(minutes=5))
    done = read_again(operator.world, wrong, actor="user:ines", reason="mended")
    assert done.counts["published"] == 2
    assert [row["amount_minor"] for row in operator.published("ocs")] == [1050, 2100]
    (old,) = operator.query("select released_at from batches where batch_id = :id", id=wrong)
    assert old["released_at"] == NOON + timedelta(minutes=5)
    assert nothing_is_lost(operator)


def test_a_withdrawn_file_of_a_sequence_gives_its_number_to_the_one_in_its_place(operator):
    sequence = {
        "kind": "sequence", "numbers": "files", "nodes": ["A"],
        "pattern": r"(?P<node>[A-Z])_(?P<number>\d+)_(?P<through>\d{12})\.csv", "through_format": "%Y%m%d%H%M",
    }  # fmt: skip
    operator.configure(configured(completeness=sequence, stable_for="0s"))
    operator.ledger("A_1_202407091110.csv", [entry("E1", at="2024-07-09 11:05:00")], control=False)
    (wrong,) = operator.take("ocs")
    withdraw_batch(operator.world, wrong, actor="user:ines", reason="a column was read as another")
    operator.ledger("A_2_202407091120.csv", [entry("E2", at="2024-07-09 11:15:00")], control=False)
    operator.take("ocs")
    assert operator.watermark("ocs") == NOON - timedelta(minutes=50)
    read_again(operator.world, wrong, actor="user:ines", reason="mended")
    operator.take("ocs")
    assert operator.watermark("ocs") == NOON - timedelta(minutes=40)


def test_a_message_that_is_read_otherwise_than_before_moves_no_money_by_itself(operator, monkeypatch):
    operator.messages("1.jsonl", [message("M1"), message("M2", at="2024-07-09T11:50:00Z")])
    (wrong,) = operator.take("smsc")
    first = {row["message_id"]: row for row in operator.published("smsc")}
    assert {row["confidence"] for row in first.values()} == {"high"}
    withdraw_batch(operator.world, wrong, actor="user:ines", reason="the template read the wrong figure")
    monkeypatch.setattr(Catalogue, "read_batch", reading_instead(Decimal(500)))
    read_again(operator.world, wrong, actor="user:ines", reason="the template was corrected")
    again = {row["message_id"]: row for row in operator.published("smsc")}
    assert again["M1"]["confirmation_id"] == first["M1"]["confirmation_id"]
    assert {key: (row["amount_minor"], row["confidence"]) for key, row in again.items()} == {
        "M1": (500, "low"), "M2": (1050, "high")
    }  # fmt: skip


def test_a_corrected_template_makes_a_new_version_of_the_same_case(operator, monkeypatch):
    operator.messages("1.jsonl", [message("M1", at="2024-07-09T11:40:00Z")])
    operator.ledger("1.csv", [])
    (wrong,) = operator.take("smsc")
    operator.take("ocs")
    operator.at(NOON + timedelta(minutes=1))
    fold_flow(operator.world, "topup")
    (first,) = operator.query("select case_id, version, kind, confirmed_minor, blocked from cases")
    assert (first["version"], first["kind"], first["confirmed_minor"], first["blocked"]) == (
        1, "never_credited", 1050, None
    )  # fmt: skip
    withdraw_batch(operator.world, wrong, actor="user:ines", reason="the template read the wrong figure")
    monkeypatch.setattr(Catalogue, "read_batch", reading_instead(Decimal(500)))
    read_again(operator.world, wrong, actor="user:ines", reason="the template was corrected")
    fold_flow(operator.world, "topup")
    (second,) = operator.query("select case_id, version, kind, confirmed_minor, blocked from cases")
    assert second["case_id"] == first["case_id"]
    assert (second["version"], second["kind"], second["confirmed_minor"]) == (2, "never_credited", 500)
    assert "the message was read with low confidence" in second["blocked"]


def test_copies_of_a_withdrawn_row_count_where_they_were_delivered_again(operator):
    operator.ledger("1.csv", [entry("E1"), entry("E2")])
    (wrong,) = operator.take("ocs")
    operator.at(NOON + timedelta(minutes=5))
    operator.ledger("2.csv", [entry("E2"), entry("E3")])
    operator.take("ocs")
    assert operator.batch("2.csv")["duplicate_rows"] == 1
    done = withdraw_batch(operator.world, wrong, actor="user:ines", reason="another operator's file")
    assert list(done.read_again.values()) == [1]
    keys = {row["entry_id"] for row in operator.published("ocs")}
    assert keys == {entry_id("ocs", "E2"), entry_id("ocs", "E3")}
    assert nothing_is_lost(operator)


def test_directory_rows_that_can_be_read_now_count_now(operator):
    operator.deliver("directory", "1.csv", "msisdn;language;email;channel;opt_out\n0707123456;fr;;sms;ja\n", rows=1)
    operator.take("directory")
    operator.configure(configured())
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(values, "_TRUE", values._TRUE | {"ja"})
        replay(operator, "directory")
    assert [row["opted_out"] for row in operator.query("select opted_out from directory")] == [True]


def test_a_landed_copy_that_is_gone_is_a_clear_error(operator):
    operator.ledger("1.csv", [entry("E1", amount="?")])
    operator.take("ocs")
    operator.world.lake.remove(operator.batch("1.csv")["landed_path"])
    with pytest.raises(NotAllowedError, match=r"the landed copy of 1\.csv is gone: have it delivered again"):
        replay(operator)
    assert statuses(operator) == [("E1", "held")]


def test_a_refused_delivery_is_not_read_again_by_hand(operator):
    operator.ledger("1.csv", [entry("E1")], rows=2)
    (refused,) = operator.take("ocs")
    with pytest.raises(NotAllowedError, match="is refused: have it delivered again"):
        read_again(operator.world, refused, actor="user:ines", reason="why not")


def reading_instead(amount):
    """How the catalogue reads when the template of the message M1 is corrected."""
    read = Catalogue.read_batch

    def corrected(self, messages):
        return [
            reading._replace(amount=amount) if message.id == "M1" else reading
            for message, reading in zip(messages, read(self, messages), strict=True)
        ]

    return corrected


def with_template(monkeypatch, folder):
    """Adds a template to those that are built in, as the next release would."""
    file = folder / "akwaba.toml"
    file.write_text(AKWABA + EXAMPLE.format(1050) + EXAMPLE.format(500))
    monkeypatch.setattr(side, "_catalogue", lambda *_: Catalogue.load([builtin(), file]))
