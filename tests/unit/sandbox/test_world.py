import itertools
from collections import Counter, defaultdict
from datetime import timedelta

import phonenumbers
import pytest

from reconcile.sandbox.day import DAY_END, DAY_START, DRAIN_END, OUTAGE_END, OUTAGE_START, VERY_LATE_AT
from reconcile.sandbox.fate import Fate, caught_in_outage
from reconcile.sandbox.ledger import Kind
from reconcile.sandbox.world import World, make_world


@pytest.fixture(scope="module")
def full_day() -> World:
    return make_world(seed=1, purchases=20_000)


def test_one_seed_makes_one_world_and_another_seed_another():
    assert make_world(7, 300) == make_world(7, 300)
    assert make_world(7, 300).messages != make_world(8, 300).messages


@pytest.mark.parametrize("purchases", [99, 100_000])
def test_a_world_outside_its_limits_is_refused(purchases: int):
    with pytest.raises(ValueError, match="from 100 to 99999"):
        make_world(1, purchases)


def test_the_day_has_the_purchases_asked_for_all_inside_it_with_references_of_their_own(full_day: World):
    assert len(full_day.purchases) == 20_000
    assert len({purchase.reference for purchase in full_day.purchases}) == 20_000
    assert all(DAY_START <= purchase.confirmed_at < DAY_END for purchase in full_day.purchases)


def test_midday_is_busy_and_night_is_not(full_day: World):
    hours = Counter(purchase.confirmed_at.hour for purchase in full_day.purchases)
    assert max(hours, key=hours.__getitem__) in {12, 13}
    assert hours[3] * 10 < hours[12]


def test_shares_are_those_of_the_country(full_day: World):
    purchases, customers = full_day.purchases, full_day.customers
    assert 0.20 <= sum(p.account != p.payer.msisdn for p in purchases) / len(purchases) <= 0.25
    assert Counter(p.amount_minor for p in purchases).most_common(1)[0][0] == 1050
    assert 0.13 <= sum(c.language == "en" for c in customers) / len(customers) <= 0.17
    assert 0.18 <= sum(c.channel == "email" for c in customers) / len(customers) <= 0.22
    assert 0 < sum(c.opted_out for c in customers) / len(customers) <= 0.01
    assert all(c.email for c in customers if c.channel == "email")


def test_some_customers_buy_the_same_thing_twice_within_minutes(full_day: World):
    alike = defaultdict(list)
    for purchase in full_day.purchases:
        alike[purchase.payer, purchase.account, purchase.amount_minor].append(purchase.confirmed_at)
    near = sum(
        later - earlier <= timedelta(minutes=6) for at in alike.values() for earlier, later in itertools.pairwise(at)
    )
    assert near >= 250


def test_every_number_exists_in_the_numbering_plan(world: World):
    numbers = {p.account for p in world.purchases} | {row.account for row in world.ledger}
    assert all(phonenumbers.is_valid_number(phonenumbers.parse(number)) for number in numbers)


def test_the_outage_strikes_in_its_shares(full_day: World):
    caught = [p for p in full_day.purchases if caught_in_outage(p)]
    fates = Counter(full_day.fates[p.reference] for p in caught)
    assert len(caught) > 700
    assert fates[Fate.VERY_LATE] == 2
    assert fates[Fate.LATE] == round(0.35 * len(caught))
    assert fates[Fate.DOUBLED] == round(0.05 * len(caught))
    assert fates[Fate.MISDIRECTED] == round(0.03 * len(caught))
    assert fates[Fate.NEVER] > len(caught) / 2
    assert fates[Fate.CREDITED] == fates[Fate.DELAYED] == 0


def test_outside_the_outage_one_credit_in_a_thousand_goes_wrong(full_day: World):
    strays = Counter(full_day.fates[p.reference] for p in full_day.purchases if not caught_in_outage(p))
    assert strays[Fate.NEVER] + strays[Fate.DELAYED] == 20
    assert strays[Fate.NEVER] == 14


def test_nothing_is_posted_during_the_outage(full_day: World):
    assert not [row for row in full_day.ledger if OUTAGE_START <= row.posted_at < OUTAGE_END]


def test_each_fate_shows_on_the_ledger(full_day: World):
    rows = defaultdict(list)
    for row in full_day.ledger:
        if row.purchase is not None:
            rows[row.purchase].append(row)
    for purchase in full_day.purchases:
        mine, fate = rows[purchase.reference], full_day.fates[purchase.reference]
        recharges = [row for row in mine if row.kind is Kind.RECHARGE]
        assert len(recharges) == {Fate.NEVER: 0, Fate.DOUBLED: 2}.get(fate, 1)
        assert all(row.amount_minor == purchase.amount_minor for row in recharges)
        assert all((row.account == purchase.account) is (fate is not Fate.MISDIRECTED) for row in mine)
        if fate in {Fate.LATE, Fate.DOUBLED, Fate.MISDIRECTED}:
            assert all(OUTAGE_END <= row.posted_at < DRAIN_END for row in recharges)
            assert all(row.reference == purchase.reference for row in recharges)
        if fate is Fate.VERY_LATE:
            assert recharges[0].posted_at > VERY_LATE_AT
        if fate is Fate.CREDITED:
            assert timedelta(seconds=2) <= recharges[0].posted_at - purchase.confirmed_at <= timedelta(seconds=60)


def test_the_operator_takes_back_some_of_its_doubled_credits(full_day: World):
    reversals = [row for row in full_day.ledger if row.kind is Kind.REVERSAL]
    doubled = sum(fate is Fate.DOUBLED for fate in full_day.fates.values())
    assert 0 < len(reversals) < doubled
    assert all(row.amount_minor < 0 and full_day.fates[row.purchase] is Fate.DOUBLED for row in reversals)


def test_a_few_rows_have_no_reference_and_fewer_cannot_be_read(full_day: World):
    recharges = [row for row in full_day.ledger if row.kind is Kind.RECHARGE]
    assert 0.02 <= sum(row.reference is None for row in recharges) / len(recharges) <= 0.04
    assert 0.001 <= sum(row.unreadable is not None for row in recharges) / len(recharges) <= 0.004


def test_a_row_without_a_reference_never_resembles_a_purchase_that_went_wrong(full_day: World):
    wrong = defaultdict(list)
    for purchase in full_day.purchases:
        if full_day.fates[purchase.reference] is not Fate.CREDITED:
            wrong[purchase.account, purchase.amount_minor].append(purchase.confirmed_at)
    for row in full_day.ledger:
        if row.kind is Kind.RECHARGE and row.reference is None:
            assert all(abs(row.posted_at - at) > timedelta(minutes=58) for at in wrong[row.account, row.amount_minor])


def test_promotions_are_posted_beside_the_purchases_that_earned_them(full_day: World):
    bonuses = [row for row in full_day.ledger if row.kind is Kind.BONUS]
    assert len(bonuses) > 500
    assert any(row.reference for row in bonuses)
    assert not any(row.purchase for row in bonuses)


def test_every_purchase_is_confirmed_once_and_a_few_in_no_known_wording(full_day: World):
    known = ("Vous avez achete", "Achat d'unites reussi", "You have bought")
    confirmed = Counter()
    for message in full_day.messages:
        if message.text.startswith(known):
            confirmed.update(word.strip(".") for word in message.text.split() if word.startswith("RC24"))
    foreign = [p.reference for p in full_day.purchases if p.reference not in confirmed]
    assert 3 <= len(foreign) <= 5
    assert all(full_day.fates[reference] is Fate.CREDITED for reference in foreign)
    assert set(confirmed.values()) == {1}
