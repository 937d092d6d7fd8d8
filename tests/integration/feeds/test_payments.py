"""The third side: who paid what, from a file to the rows that matching reads."""

from copy import deepcopy
from datetime import timedelta
from uuid import UUID

import pytest

from reconcile.domain.ids import payment_id
from reconcile.jobs import folding

from .conftest import CONFIGURATION, NOON

HEADER = "payment_id;type;account;payer;amount;currency;reference;paid_at"
CONFIGURED = deepcopy(CONFIGURATION)
CONFIGURED["feed"].append(
    {
        "name": "wallet",
        "flow": "topup",
        "side": "payment",
        "reader": "csv",
        "location": "inbox/wallet/*.csv",
        "delimiter": ";",
        "zone": "Africa/Abidjan",
        "kinds": {"payment": ["DEBIT"], "reversal": ["REFUND"]},
    }
)


def payment(key, *, kind="DEBIT", account="0707123456", payer="0505111111", amount="1050",
            reference="RC240709.1145.A00011", at="2024-07-09 11:45:08"):  # fmt: skip
    return f"{key};{kind};{account};{payer};{amount};XOF;{reference};{at}"


@pytest.fixture
def wallet(operator):
    operator.configure(CONFIGURED)

    def deliver(name, rows, **said):
        said.setdefault("rows", len(rows))
        operator.deliver("wallet", name, "\n".join([HEADER, *rows]) + "\n", **said)
        operator.take("wallet")
        return operator.batch(name)

    operator.pay = deliver
    return operator


def test_a_payment_is_published_as_matching_reads_it(wallet):
    batch = wallet.pay("1.csv", [payment("P1")])
    (row,) = wallet.published("wallet")
    keys = {name: row.pop(name) for name in ("match_key", "account_key")}
    assert row == {
        "payment_id": payment_id("wallet", "P1"),
        "reference": "RC240709.1145.A00011",
        "account": "+2250707123456",
        "payer": "+2250505111111",
        "asset": "XOF",
        "amount_minor": 1050,
        "kind": "payment",
        "paid_at": NOON - timedelta(minutes=14, seconds=52),
        "batch_id": UUID(str(batch["batch_id"])),
        "feed": "wallet",
        "row_number": 2,
    }
    assert wallet.watermark("wallet") == NOON
    wallet.ledger("l.csv", ["E1;RECHARGE;0707123456;1050;XOF;RC240709.1145.A00011;;2024-07-09 11:45:10"])
    wallet.take("ocs")
    (entry,) = wallet.published("ocs")
    assert {name: entry[name] for name in keys} == keys


def test_every_row_has_one_fate_and_no_money_is_lost(wallet):
    wallet.pay("1.csv", [payment("P1"), payment("P2", kind="REFUND")], total="2100")
    batch = wallet.pay(
        "2.csv",
        [
            payment("P1"),
            payment("P3"),
            payment("P4", payer="personne"),
            payment("P5", kind="REFUND", reference=""),
            payment("P6", kind="FACTURE", amount="700"),
        ],
    )
    assert batch["status"] == "published"
    fates = [batch[f"{fate}_rows"] for fate in ("raw", "published", "quarantined", "duplicate", "out_of_scope")]
    assert fates == [5, 1, 2, 1, 1]
    assert batch["money"]["XOF"] == {
        "raw": 1050 + 1050 + 1050 - 1050 + 700,
        "published": 1050,
        "quarantined": 1050 - 1050,
        "duplicate": 1050,
        "out_of_scope": 700,
    }
    held = wallet.query("select row_key, reason, account, reference from quarantine where side = 'payment' order by 1")
    assert [tuple(row.values()) for row in held] == [
        ("P4", "payer_is_readable: not a phone number", "+2250707123456", "RC240709.1145.A00011"),
        ("P5", "reversal_names_its_payment", "+2250707123456", None),
    ]


def test_a_payment_row_that_could_be_anybodys_leaves_its_period_unproven(wallet):
    wallet.pay("1.csv", [payment("P1", account="?", payer="?", reference=""), payment("P2")])
    assert wallet.batch("1.csv")["status"] == "published"
    assert wallet.watermark("wallet") is None
    wallet.pay("2.csv", [payment("P1", reference="")], through=NOON)
    assert wallet.watermark("wallet") == NOON


def test_a_payment_file_with_another_sum_than_announced_is_refused(wallet):
    batch = wallet.pay("1.csv", [payment("P1")], total="1051")
    assert batch["status"] == "refused"
    assert "sum_is_the_one_announced: The amounts that can be read sum to 1050" in batch["reason"]


def test_a_payment_row_that_nobody_can_read_keeps_its_account_from_being_judged(wallet):
    wallet.pay("1.csv", [payment("P1", amount="?"), payment("P2")])
    world = wallet.world
    with wallet.database.begin() as connection:
        intake = folding.read(connection, world.configuration, world.configuration.flow("topup"), NOON)
    assert (intake.held_accounts, intake.held_references) == ({"+2250707123456"}, {"RC240709.1145.A00011"})
