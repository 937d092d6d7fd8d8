"""From files to published batches, where nothing is wrong."""

import gzip
import io
import json
from datetime import timedelta
from uuid import UUID

import pyarrow as pa
import pyarrow.parquet as pq
import zstandard

from reconcile.domain.ids import confirmation_id, entry_id

from .conftest import CONFIGURATION, LEDGER_HEADER, NOON, Operator, entry, message

EN = "You have bought 1,050 FCFA of airtime for 0707123456. Fee: 0 FCFA. New balance: 12,340 FCFA. Trans ID: {}."
PENDING = (
    "Votre achat de 1050 FCFA d'unites pour le 0707123456 est en cours de traitement. ID Trans: RC240709.1145.A00012"
)
FAILED = (
    "Echec: votre achat de 1050 FCFA d'unites pour le 0707123456 n'a pas abouti. Votre compte n'a pas ete debite. "
    "ID Trans: RC240709.1145.A00013"
)


def test_ledger_rows_are_published_with_their_signs_put_right(operator):
    rows = [
        entry("E1"),
        entry("E2", kind="REVERSAL", amount="1050"),
        entry("E3", kind="REVERSAL", amount="-1050"),
        entry("E4", kind="BONUS", amount="500"),
    ]
    operator.ledger("a.csv", rows, total="1550")
    operator.take("ocs")
    published = [(row["kind"], row["amount_minor"]) for row in operator.published("ocs")]
    assert published == [("purchase", 1050), ("reversal", -1050), ("reversal", -1050)]
    batch = operator.batch("a.csv")
    assert (batch["raw_rows"], batch["published_rows"], batch["out_of_scope_rows"]) == (4, 3, 1)
    assert batch["money"]["XOF"] == {
        "raw": -550, "published": -1050, "quarantined": 0, "duplicate": 0, "out_of_scope": 500
    }  # fmt: skip
    assert operator.watermark("ocs") == NOON


def test_a_ledger_row_is_published_as_matching_reads_it(operator):
    operator.ledger("a.csv", [entry("E1", account="07 07 12 34 56", reference=" rc1 ", own="0b54-11")])
    (batch_id,) = operator.take("ocs")
    (row,) = operator.published("ocs")
    keys = {name: row.pop(name) for name in ("match_key", "account_key")}
    assert row == {
        "entry_id": entry_id("ocs", "E1"),
        "reference": "RC1",
        "account": "+2250707123456",
        "asset": "XOF",
        "amount_minor": 1050,
        "kind": "purchase",
        "own_key": "0b54-11",
        "posted_at": NOON - timedelta(minutes=14, seconds=50),
        "batch_id": UUID(batch_id),
        "feed": "ocs",
        "row_number": 2,
    }
    assert all(isinstance(key, UUID) for key in keys.values())


def test_both_sides_of_one_purchase_have_the_same_keys(operator):
    operator.ledger("a.csv", [entry("E1"), entry("E2", reference="")])
    operator.messages("a.jsonl", [message("M1")])
    operator.take("ocs")
    operator.take("smsc")
    (with_reference, without), (told,) = operator.published("ocs"), operator.published("smsc")
    assert with_reference["match_key"] == told["match_key"]
    assert with_reference["account_key"] == without["account_key"] == told["account_key"]
    assert without["match_key"] is None
    assert told["match_key"] != told["account_key"]


def test_a_message_is_published_as_matching_reads_it(operator):
    operator.messages("a.jsonl.gz", [message("M1", recipient="+2250505999999")])
    (batch_id,) = operator.take("smsc")
    (row,) = operator.published("smsc")
    del row["match_key"], row["account_key"]
    assert row == {
        "confirmation_id": confirmation_id("topup", "maxit|RC240709.1145.A00011"),
        "message_id": "M1",
        "provider": "maxit",
        "reference": "RC240709.1145.A00011",
        "account": "+2250707123456",
        "payer": "+2250505999999",
        "asset": "XOF",
        "amount_minor": 1050,
        "product": "airtime",
        "outcome": "success",
        "confidence": "high",
        "confirmed_at": NOON - timedelta(minutes=15),
        "balance_minor": None,
        "batch_id": UUID(batch_id),
        "feed": "smsc",
        "row_number": 1,
    }


def test_what_a_deposit_leaves_on_the_account_is_published_with_it(operator):
    smsc, *others = CONFIGURATION["feed"]
    deposits = {**smsc, "senders": ["Flooz"], "kinds": {"purchase": ["deposit"]}}
    operator.configure({**CONFIGURATION, "feed": [deposits, *others]})
    text = (
        "Depot de 15000 FCFA recu de l'agent 0501020304 sur votre compte Flooz. Nouveau solde Flooz: 15450 FCFA. "
        "Trans ID: MD240709.1145.C10201"
    )
    operator.messages("a.jsonl", [message("M1", text, sender="Flooz")])
    operator.take("smsc")
    (row,) = operator.published("smsc")
    assert (row["amount_minor"], row["balance_minor"]) == (15000, 15450)


def test_only_what_tells_of_a_purchase_is_in_scope(operator):
    rows = [
        message("M1"),
        message("M2", EN.format("RC240709.1145.A00099"), sender="OrangeMoney"),
        message("M3", PENDING),
        message("M4", FAILED),
        message("M5", "Votre code est 483920", sender="BanqueSud"),
    ]
    operator.messages("a.jsonl.gz", rows)
    operator.take("smsc")
    assert [row["message_id"] for row in operator.published("smsc")] == ["M1", "M2"]
    batch = operator.batch("a.jsonl.gz")
    assert (batch["published_rows"], batch["out_of_scope_rows"], batch["quarantined_rows"]) == (2, 3, 0)
    assert batch["money"]["XOF"] == {
        "raw": 4200, "published": 2100, "quarantined": 0, "duplicate": 0, "out_of_scope": 2100
    }  # fmt: skip


def test_our_own_notices_coming_back_are_no_purchases(operator):
    operator.configure({**CONFIGURATION, "sms": {"sender": "MaxIt", "password": {"env": "NOT_READ"}}})
    ours = "Max it: vos 1050 FCFA d'unites pour le 0707123456 ne sont pas encore arrives. Dossier FKRH-MWPG."
    number = operator.case_number()
    operator.messages("a.jsonl", [message("M1"), message("M2", ours.replace("FKRH-MWPG", number))])
    operator.take("smsc")
    batch = operator.batch("a.jsonl")
    assert (batch["published_rows"], batch["out_of_scope_rows"], batch["quarantined_rows"]) == (1, 1, 0)


def test_the_directory_is_kept_by_account_and_the_newest_word_counts(operator):
    header = "msisdn;language;email;channel;opt_out\n"
    operator.deliver(
        "directory", "2.csv", header + "0707123456;FR;awa@example.ci;email;false\n0505111111;en;;sms;true\n", rows=2
    )
    operator.deliver(
        "directory", "1.csv", header + "0707123456;en;;sms;true\n", rows=1, through=NOON - timedelta(hours=1)
    )
    operator.take("directory")
    found = operator.query("select account, language, email, channel, opted_out from directory order by account desc")
    assert [tuple(row.values()) for row in found] == [
        ("+2250707123456", "fr", "awa@example.ci", "email", False),
        ("+2250505111111", "en", None, "sms", True),
    ]


def test_every_format_and_packing_gives_the_same_rows(tmp_path, database_url, operator):
    lines = [entry(f"E{number}", amount=str(number)) for number in range(1, 6)]
    text = "\r\n".join([LEDGER_HEADER, *lines]).encode()
    names = LEDGER_HEADER.split(";")
    table = {name: [line.split(";")[place] or None for line in lines] for place, name in enumerate(names)}
    columnar = io.BytesIO()
    pq.write_table(pa.table({**table, "amount": pa.array(range(1, 6), pa.int32())}), columnar)
    objects = "".join(
        json.dumps({**dict(zip(names, line.split(";"), strict=True)), "amount": int(line.split(";")[3])}) + "\n"
        for line in lines
    ).encode()
    contents = {
        ("csv", "a.csv"): b"\xef\xbb\xbf" + text,
        ("csv", "a.csv.gz"): gzip.compress(text),
        ("csv", "a.csv.zst"): zstandard.compress(text),
        ("jsonl", "a.jsonl"): objects,
        ("jsonl", "a.jsonl.gz"): gzip.compress(objects),
        ("parquet", "a.parquet"): columnar.getvalue(),
    }
    seen = []
    for number, ((reader, name), content) in enumerate(contents.items()):
        feed = {
            **CONFIGURATION["feed"][1],
            "name": f"ocs{number}",
            "reader": reader,
            "location": f"inbox/ocs{number}/*",
        }
        operator.configure({**CONFIGURATION, "feed": [feed]})
        operator.deliver(feed["name"], name, content, rows=5, total="15")
        operator.take(feed["name"])
        rows = operator.published(feed["name"])
        seen.append([(row["reference"], row["account"], row["amount_minor"], row["posted_at"]) for row in rows])
    assert len(seen[0]) == 5
    assert all(rows == seen[0] for rows in seen)


def test_an_hour_without_entries_is_delivered_and_moves_the_watermark(operator):
    for minutes in (10, 5, 0):
        through = NOON - timedelta(minutes=minutes)
        operator.ledger(f"{through:%H%M}.csv", [], through=through)
        operator.take("ocs")
        assert operator.watermark("ocs") == through
    assert [row["status"] for row in operator.query("select status from batches")] == ["published"] * 3


def test_what_was_taken_is_not_taken_again(operator):
    operator.ledger("a.csv", [entry("E1")])
    assert len(operator.take("ocs")) == 1
    assert operator.take("ocs") == []
    assert len(operator.query("select * from deliveries")) == 1


def test_a_job_records_what_it_did(operator: Operator):
    operator.ledger("a.csv", [entry("E1")])
    operator.deliver("ocs", "b.csv", "without a control file", control=False)
    operator.deliver("ocs", "c.csv", "", rows=0)
    operator.take("ocs")
    (run,) = operator.query("select counts from job_runs where job = 'take_feed' and subject = 'ocs'")
    assert run["counts"] == {"waiting": 1, "published": 1, "refused": 1}


def test_several_messages_about_one_purchase_are_rows_with_one_id(operator):
    other = "Achat d'unites reussi. Montant: 1 050 FCFA. Beneficiaire: 0707123456. Solde: 5,00 FCFA. Ref: RC240709.1145.A00011"
    operator.messages("a.jsonl", [message("M1"), message("M2", other)])
    operator.take("smsc")
    first, second = operator.published("smsc")
    assert first["confirmation_id"] == second["confirmation_id"]
    assert (first["message_id"], second["message_id"]) == ("M1", "M2")
