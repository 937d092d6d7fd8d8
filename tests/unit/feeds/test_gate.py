"""The suites themselves: each expectation explains itself, and catches what it is there for."""

import json
import re
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pandas as pd
import pytest

from reconcile import resources
from reconcile.feeds import gate

NOON = datetime(2024, 7, 9, 12, tzinfo=UTC)
PARAMETERS = {
    "earliest": pd.Timestamp(NOON - timedelta(days=400)),
    "latest": pd.Timestamp(NOON),
    "assets": ["XOF"],
}
GOOD = {
    "confirmations": {
        "row_key": "M1", "reading": "parsed", "reference": "RC1", "account": "+2250707123456", "payer": "+2250505111111",
        "asset": "XOF", "amount_minor": 1050, "outcome": "success", "confirmed_at": NOON, "row_problem": None,
    },
    "ledger": {
        "row_key": "E1", "reference": "RC1", "account": "+2250707123456", "asset": "XOF", "amount_minor": 1050,
        "kind": "purchase", "own_key": None, "posted_at": NOON, "row_problem": None,
    },
    "payments": {
        "row_key": "P1", "reference": "RC1", "account": "+2250707123456", "payer": "+2250505111111", "asset": "XOF",
        "amount_minor": 1050, "kind": "payment", "paid_at": NOON, "row_problem": None,
    },
    "directory": {
        "account": "+2250707123456", "language": "fr", "email": "awa@example.ci", "channel": "email", "opted_out": False,
        "row_problem": None,
    },
    "delivery": {
        "rows": 2, "control_rows": 2, "sum": "2100", "control_sum": "2100", "quarantined_share": 0.0,
        "max_quarantined_share": 0.05, "old_share": 0.1, "max_old_share": 0.25, "new_rows": 900, "most_rows": 1000,
    },
    "fold": {
        "doubled_verdicts": 0, "unknown_kinds": 0, "unbalanced_verdicts": 0, "hasty_verdicts": 0, "doubled_own": 0,
        "doubled_rows": 0, "match_rows": 7, "matched_pairs": 7, "unexplained_lines": 0,
    },
}  # fmt: skip
BREAKS = {
    "confirmations": {
        "row_is_well_formed": {"row_problem": "is not JSON"},
        "message_has_id": {"row_key": None},
        "message_is_read": {"reading": "ambiguous"},
        "payer_is_readable": {"payer": None},
        "payer_is_e164": {"payer": "0505111111"},
        "account_is_readable": {"account": None},
        "account_is_e164": {"account": "0707123456"},
        "amount_is_readable": {"amount_minor": None},
        "amount_is_positive": {"amount_minor": 0},
        "asset_is_the_flows": {"asset": "XAF"},
        "asset_is_readable": {"asset": None},
        "retraction_names_its_purchase": {"outcome": "reversed", "reference": None},
        "time_is_readable": {"confirmed_at": None},
        "time_is_possible": {"confirmed_at": NOON + timedelta(seconds=1)},
    },
    "ledger": {
        "row_is_well_formed": {"row_problem": "has 3 fields"},
        "row_has_key": {"row_key": None},
        "kind_is_known": {"kind": None},
        "account_is_readable": {"account": None},
        "account_is_e164": {"account": "0707123456"},
        "asset_is_readable": {"asset": None},
        "amount_is_readable": {"amount_minor": None},
        "purchase_is_positive": {"amount_minor": -1},
        "reversal_is_negative": {"kind": "reversal", "amount_minor": 0},
        "reference_is_printable": {"reference": "RC\x07"},
        "own_key_is_printable": {"own_key": "a b"},
        "time_is_readable": {"posted_at": None},
        "time_is_possible": {"posted_at": NOON - timedelta(days=401)},
    },
    "payments": {
        "row_is_well_formed": {"row_problem": "has 3 fields"},
        "row_has_key": {"row_key": None},
        "kind_is_known": {"kind": None},
        "payer_is_readable": {"payer": None},
        "payer_is_e164": {"payer": "0505111111"},
        "account_is_readable": {"account": None},
        "account_is_e164": {"account": "0707123456"},
        "asset_is_readable": {"asset": None},
        "asset_is_the_flows": {"asset": "XAF"},
        "amount_is_readable": {"amount_minor": None},
        "payment_is_positive": {"amount_minor": 0},
        "reversal_is_negative": {"kind": "reversal", "amount_minor": 0},
        "reversal_names_its_payment": {"kind": "reversal", "amount_minor": -1050, "reference": None},
        "reference_is_printable": {"reference": "RC\x07"},
        "time_is_readable": {"paid_at": None},
        "time_is_possible": {"paid_at": NOON + timedelta(seconds=1)},
    },
    "directory": {
        "row_is_well_formed": {"row_problem": "has 3 fields"},
        "account_is_readable": {"account": None},
        "account_is_e164": {"account": "0707123456"},
        "language_is_a_code": {"language": "french"},
        "channel_is_known": {"channel": "fax"},
        "email_is_an_address": {"email": "awa@example"},
        "email_customers_have_one": {"email": None},
        "opt_out_is_readable": {"opted_out": None},
    },
    "delivery": {
        "rows_are_those_announced": {"control_rows": 3},
        "sum_is_the_one_announced": {"control_sum": "2101"},
        "few_rows_are_bad": {"quarantined_share": 0.06},
        "rows_are_of_their_period": {"old_share": 0.26},
        "volume_is_usual": {"new_rows": 1001},
    },
    "fold": {
        "breaks_have_one_verdict": {"doubled_verdicts": 1},
        "kinds_are_known": {"unknown_kinds": 1},
        "sums_add_up": {"unbalanced_verdicts": 1},
        "deadlines_are_respected": {"hasty_verdicts": 1},
        "own_credits_stand_once": {"doubled_own": 1},
        "rows_are_matched_once": {"doubled_rows": 1},
        "matches_are_all_written": {"match_rows": 6},
        "statement_leaves_nothing": {"unexplained_lines": 1},
    },
}
FINE = [
    ("confirmations", {"outcome": "reversed", "amount_minor": None, "asset": None}),
    ("confirmations", {"outcome": "success", "reference": None}),
    ("ledger", {"kind": "reversal", "amount_minor": -1050}),
    ("ledger", {"reference": None, "own_key": "0b54f1f2-4c1c-5d0e-9d1b-6a3f1e1c7a10"}),
    ("payments", {"kind": "reversal", "amount_minor": -1050}),
    ("payments", {"reference": None}),
    ("directory", {"channel": "sms", "email": None, "language": None}),
    ("delivery", {"control_rows": None, "control_sum": None, "quarantined_share": 0.05}),
    ("delivery", {"old_share": None, "most_rows": None}),
]


def frame(suite, *changes):
    rows = pd.DataFrame(
        [{**GOOD[suite], **change} for change in changes], index=range(10, 10 + len(changes)), dtype=object
    )
    for column in rows:
        if column == "amount_minor":
            rows[column] = rows[column].astype("Int64")
        if column.endswith("_at"):
            rows[column] = pd.to_datetime(rows[column], utc=True)
    return rows


def expectations(suite):
    return json.loads(resources.text(f"expectations/{suite}.json"))["expectations"]


@pytest.mark.parametrize(
    ("suite", "name", "change"),
    [(suite, name, change) for suite, breaks in BREAKS.items() for name, change in breaks.items()],
)
def test_an_expectation_finds_the_rows_that_break_it_and_no_others(suite, name, change):
    failures = gate.examine(suite, frame(suite, {}, change, {}, change), PARAMETERS)
    assert [(failure.name, list(failure.rows)) for failure in failures] == [(name, [11, 13])]


@pytest.mark.parametrize(("suite", "change"), FINE)
def test_what_is_allowed_passes(suite, change):
    assert gate.examine(suite, frame(suite, change), PARAMETERS) == []


@pytest.mark.parametrize("suite", gate.SUITES)
def test_each_expectation_is_tried_above_and_says_why_it_is_there(suite):
    assert [expectation["meta"]["name"] for expectation in expectations(suite)] == list(BREAKS[suite])
    for expectation in expectations(suite):
        assert expectation["meta"].keys() == {"name", "why", "failing_row"}
        assert re.fullmatch("[a-z0-9_]+", expectation["meta"]["name"])
        assert expectation["meta"]["why"].endswith(".")
        assert expectation["meta"]["failing_row"].endswith(".")


def test_all_failing_rows_are_listed_however_many_there_are():
    bad = frame("ledger", *[{"amount_minor": None}] * 30_000)
    (failure,) = gate.examine("ledger", bad, PARAMETERS)
    assert len(failure.rows) == 30_000


def test_deliveries_that_are_examined_at_once_are_not_taken_for_one_another():
    good, bad = frame("ledger", {}, {}), frame("ledger", {}, {"amount_minor": None})
    with ThreadPoolExecutor(4) as threads:
        found = list(threads.map(lambda rows: gate.examine("ledger", rows, PARAMETERS), [good, bad] * 10))
    assert [[list(failure.rows) for failure in failures] for failures in found] == [[], [[11]]] * 10


def test_a_suite_that_does_not_fit_the_rows_is_an_error_and_passes_nothing():
    with pytest.raises(RuntimeError, match=r"ledger\.json: .* cannot be evaluated"):
        gate.examine("ledger", frame("ledger", {}).drop(columns="amount_minor"), PARAMETERS)


def test_a_suite_is_what_great_expectations_itself_would_write():
    for name in gate.SUITES:
        written = gate.suite(name).to_json_dict()
        ours = json.loads(resources.text(f"expectations/{name}.json"))
        assert [found["type"] for found in written["expectations"]] == [found["type"] for found in ours["expectations"]]
        assert written["meta"] == ours["meta"]


def test_nobody_is_told_that_the_library_is_used():
    assert gate._whole_frame().data_asset.datasource.data_context.variables.analytics_enabled is False
