"""`reconcile explain`: why a purchase is not matched, from whatever somebody has at hand."""

from datetime import timedelta

import pytest
import sample
import sqlalchemy as sa

from reconcile.desk.explaining import explain
from reconcile.desk.page import texts
from reconcile.domain import ids
from reconcile.domain.breaks import BreakKind
from reconcile.domain.policy import CLOSING
from reconcile.store.tables import cases

ENTRY = str(ids.entry_id("ocs", "e1"))


@pytest.mark.parametrize(
    ("key", "verdict"),
    [
        (sample.case_number(sample.WAITING), "never_credited"),
        (sample.reference(sample.WAITING), "never_credited"),
        (str(sample.case_id(sample.WAITING)), "never_credited"),
        (sample.reference(sample.CREDITED), "matched"),
        (str(sample.case_id(sample.CREDITED)), "matched"),
        (ENTRY, "matched"),
        (sample.case_number(sample.MISDIRECTED), "misdirected"),
        (sample.ORPHAN, "orphan_credit"),
    ],
)
def test_any_key_leads_to_the_purchase_and_its_verdict(world, key, verdict):
    [found] = explain(world, key, region="CI")
    assert found.verdict == verdict
    assert (found.settles == "it is settled") == (verdict == "matched")


def test_a_match_names_the_pass_and_the_row_that_it_found(world):
    [found] = explain(world, sample.reference(sample.CREDITED), region="CI")
    assert found.passes == (("reference", "matched"),)
    assert [row.found_by for row in found.rows if str(row.entry_id) == ENTRY] == ["reference"]


def test_a_phone_number_means_what_was_bought_around_the_time_that_is_named(world):
    everything = explain(world, "0707123456", region="CI")
    [first] = [one for one in everything if one.verdict == "matched"]
    near = explain(world, "0707123456", region="CI", at=first.confirmed_at + timedelta(minutes=5))
    assert first in near
    assert explain(world, "0707123456", region="CI", at=first.confirmed_at + timedelta(days=9)) == []


def test_no_phone_number_leaves_unmasked(world):
    for number in (sample.CREDITED, sample.WAITING, sample.MISDIRECTED):
        [found] = explain(world, str(sample.case_id(number)), region="CI")
        assert "0707123456" not in repr(found)
        assert "•" in found.account or "*" in found.account or "…" in found.account


@pytest.mark.parametrize("kind", BreakKind)
def test_a_break_of_each_kind_is_explained_pass_by_pass_and_says_when_it_may_settle(world, kind):
    one = sample.case_id(sample.WAITING)
    with world.database.begin() as connection:
        connection.execute(sa.update(cases).where(cases.c.case_id == one).values(kind=kind))
    [found] = explain(world, str(one), region="CI")
    assert found.verdict == kind
    assert [name for name, _ in found.passes] == ["own", "reference", "identity"]
    assert all(why for _, why in found.passes)
    if kind in CLOSING:
        assert (found.settles, found.earliest) == ("it is settled", None)
    else:
        what = texts("en")("settles." + kind)
        assert found.earliest == sample.NOW
        assert found.settles == (
            f"with the first run that takes in {what}, of after 2024-07-09 15:00:00 UTC: what is before is complete"
        )


def test_where_completeness_is_only_assumed_an_older_row_may_settle_it_too(world):
    with world.database.begin() as connection:
        connection.execute(sa.update(cases).values(grade="assumed"))
    [found] = explain(world, str(sample.case_id(sample.WAITING)), region="CI")
    assert found.settles.endswith("what is before is only assumed to be complete")


def test_what_nobody_knows_has_no_explanation(world):
    assert explain(world, "RC999999.9999.A99999", region="CI") == []
    assert explain(world, "00000000-0000-0000-0000-000000000000", region="CI") == []
