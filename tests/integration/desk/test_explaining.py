"""`reconcile explain`: why a purchase is not matched, from whatever somebody has at hand."""

from datetime import timedelta

import pytest
import sample

from reconcile.desk.explaining import explain
from reconcile.domain import ids

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


def test_what_nobody_knows_has_no_explanation(world):
    assert explain(world, "RC999999.9999.A99999", region="CI") == []
    assert explain(world, "00000000-0000-0000-0000-000000000000", region="CI") == []
