"""A customer is forgotten whose rows, or those of somebody for whom they paid, sleep."""

from datetime import timedelta

import pyarrow.parquet as pq
import pytest

from reconcile.domain.refusal import NotAllowedError
from reconcile.domain.traces import Traces
from reconcile.jobs import erasing, folding
from reconcile.jobs.erasing import STILL_MATCHED, LeftOverError
from reconcile.jobs.housekeeping import needed
from reconcile.matching import state
from reconcile.store import accounts
from tests.integration.keeping.conftest import Town
from tests.integration.keeping.killing import killed
from tests.integration.keeping.test_erasing import (
    GONE,
    NEEDS,
    STAYS,
    asleep,
    credited,
    deliver,
    everywhere,
    forget,
    owed,
    state_of,
)


def test_rows_that_sleep_and_may_still_be_matched_forbid_it(town: Town):
    owed(town, GONE, GONE)
    (row,) = asleep(town, "confirmation")
    assert row["account"] == GONE
    assert not any(GONE in str(pq.read_table(path).to_pylist()) for path in needed(town.world, "topup"))
    _, rows = state_of(town)
    assert not any(GONE in str(rows[file]) for file in folding.STATE_FILES), "nothing else forbids it"
    files = town.files()
    with pytest.raises(NotAllowedError) as refused:
        forget(town)
    assert str(refused.value) == f"nothing was erased: {STILL_MATCHED.format(flow='topup', horizon='7 days')}"
    assert town.files() == files


def test_a_purchase_that_sleeps_is_woken_and_is_still_settled_by_a_later_credit(town: Town):
    now = owed(town, GONE, STAYS)
    (before,) = asleep(town, "confirmation")
    assert (before["payer"], before["account"]) == (GONE, STAYS)
    cases = town.query("select case_id, version, kind from cases")

    assert forget(town)["states"] == 1

    assert everywhere(town, Traces(GONE)) == []
    with town.database.begin() as connection:
        name = accounts.pseudonym(connection, GONE)
    _, files = state_of(town)
    assert files[state.CONFIRMATIONS] == [before | {"payer": name}]
    deliver(town, now + timedelta(hours=1), [])
    assert town.query("select case_id, version, kind from cases") == cases
    assert asleep(town, "confirmation") == [before | {"payer": name}], "it sleeps again"
    credited(town, now + timedelta(hours=2))
    (settled,) = town.query("select version, kind from cases")
    assert (cases[0]["version"], cases[0]["kind"], settled["version"], settled["kind"]) == (
        1, "never_credited", 2, "late_credit",
    )  # fmt: skip


@pytest.mark.parametrize("moment", ["die_at(awakened, 'write', 1)", "die_at(job._Erasure, 'remove_what_is_left', 1)"])
def test_killed_while_it_wakes_what_sleeps_it_is_finished_by_another_run(town: Town, moment):
    owed(town, GONE, STAYS)
    killed(town, needs=NEEDS, moment=moment, work="forget(town)")
    forget(town)
    assert everywhere(town, Traces(GONE)) == []
    assert [row["account"] for row in state_of(town)[1][state.CONFIRMATIONS]] == [STAYS]


def test_what_fell_asleep_since_it_was_looked_for_is_not_removed_but_said(town: Town, monkeypatch):
    owed(town, GONE, STAYS)
    with monkeypatch.context() as patch:
        patch.setattr(erasing._Erasure, "_state", lambda *_: 0)
        with pytest.raises(LeftOverError, match="keys/topup/"):
            forget(town)
    assert len(asleep(town, "confirmation")) == 1, "no file of it is gone"
    forget(town)
    assert everywhere(town, Traces(GONE)) == []
