"""Worlds whose truth is known because they were made from it: everything that can be told is told, nothing is invented."""

from __future__ import annotations

import os
import random
from collections import Counter
from datetime import timedelta
from typing import Any

import pytest

FIRST_SEED = int(os.environ.get("RECONCILE_FIRST_SEED", "0"))
WORLDS = int(os.environ.get("RECONCILE_WORLDS", "1000"))


class Purchase:
    """One purchase, or something that looks like one, with an account and a reference of its own."""

    def __init__(self, world: World, name: str) -> None:
        self.world, self.name, self.chance = world, name, world.chance
        self.account, self.reference = f"+{name}", f"RC240109.{name}"
        self.amount = self.chance.choice([100, 500, 1050, 2000])
        self.at = world.at(self.chance.randint(0, 300)) + timedelta(seconds=self.chance.randint(0, 59))
        self.soon = self.at + timedelta(seconds=self.chance.randint(0, 600))
        self.later = self.at + timedelta(minutes=self.chance.randint(20, 200))

    def told(self, *, reference: str | None = "", value: int = 0, when: Any = None, to: str = "", **more: Any) -> None:
        rows = self.world.told
        rows.append(
            self.world.told_row(
                when or self.at,
                self.reference if reference == "" else reference,
                to or self.account,
                value or self.amount,
                message=f"{self.name}/{len(rows)}",
                **more,
            )
        )

    def posted(
        self, *, reference: str | None = "", value: int = 0, when: Any = None, to: str = "", **more: Any
    ) -> None:
        rows = self.world.posted
        rows.append(
            self.world.posted_row(
                when or self.soon,
                self.reference if reference == "" else reference,
                to or self.account,
                value or self.amount,
                row=f"{self.name}/{len(rows)}",
                **more,
            )
        )

    def paid(self, *, reference: str | None = "", value: int = 0, when: Any = None) -> None:
        rows = self.world.paid
        rows.append(
            self.world.paid_row(
                when or self.at,
                self.reference if reference == "" else reference,
                self.account,
                value or self.amount,
                row=f"{self.name}/{len(rows)}",
                payer="+payer",
            )
        )

    def truth(self, kind: str, owed: int, whose: str = "") -> None:
        self.world.truth[kind, whose or self.account, owed] += 1

    def maybe(self) -> str | None:
        return self.chance.choice([None, self.reference])


def credited(p: Purchase) -> None:
    p.told()
    p.posted()


def credited_without_reference(p: Purchase) -> None:
    p.told()
    p.posted(reference=None)


def told_without_reference(p: Purchase) -> None:
    p.told(reference=None)
    p.posted(reference=p.maybe())


def in_two_parts(p: Purchase) -> None:
    p.told()
    p.posted(value=p.amount - 30)
    p.posted(value=30)


def reversed_and_credited_again(p: Purchase) -> None:
    p.told()
    p.posted(when=p.at)
    p.posted(when=p.at, value=-p.amount)
    p.posted()


def two_messages(p: Purchase) -> None:
    p.told(payer="+payer")
    p.told(when=p.soon)
    p.posted()


def retracted(p: Purchase) -> None:
    p.told()
    p.told(when=p.soon, outcome="reversed")


def slip_of_the_pen(p: Purchase) -> None:
    p.told()
    slips = [p.reference[2:], p.reference.replace("0", "O"), p.reference.replace("1", "L"), "RC420109." + p.name]
    p.posted(reference=p.chance.choice(slips))


def split_without_reference(p: Purchase) -> None:
    p.told(reference=p.maybe())
    p.posted(reference=None, value=p.amount - 30)
    p.posted(reference=None, value=30)


def another_character(p: Purchase) -> None:
    p.told()
    p.posted(reference=p.reference.replace("240109", "240108"))
    p.truth("never_credited", p.amount)
    p.truth("orphan_credit", -p.amount)


def neighbouring_purchases(p: Purchase) -> None:
    p.told(reference=f"{p.reference}A12")
    p.told(reference=f"{p.reference}A21")
    p.posted(reference=f"{p.reference}A21")
    p.truth("never_credited", p.amount)


def several_ways_to_split(p: Purchase) -> None:
    p.told()
    for _ in range(3):
        p.posted(reference=None, value=p.amount // 2)
        p.truth("orphan_credit", -(p.amount // 2))
    p.truth("ambiguous", p.amount)


def never_credited(p: Purchase) -> None:
    p.told(reference=p.maybe())
    p.truth("never_credited", p.amount)


def balances(p: Purchase) -> None:
    """A wallet and its messages: what each says, one purchase of three is never credited, and often something goes unseen."""
    wallet, missing = p.chance.randint(0, 5000), p.chance.randint(0, 2)
    front_end_counts = p.chance.choice([True, False])
    unseen = p.chance.choice([None, None, 0, 1])
    for number in range(3):
        is_missing = number == missing
        amount = p.amount + 7 * number
        wallet += amount if not is_missing or front_end_counts else 0
        p.told(reference=f"{p.reference}B{number}", value=amount, when=p.at + timedelta(minutes=number), balance=wallet)
        if not is_missing:
            p.posted(reference=f"{p.reference}B{number}", value=amount, when=p.at + timedelta(minutes=number))
        if number == unseen:
            wallet -= 1
    p.truth("never_credited", p.amount + 7 * missing)
    seen = (missing > 0 and unseen != missing - 1, missing < 2 and unseen != missing)
    if front_end_counts:
        p.world.balances[p.account, "arrived" if any(seen) else None] += 1
    elif seen[0]:
        p.world.balances[p.account, "missing"] += 1
    else:
        # Without the message before it nobody can tell a balance that counts from one that does not.
        p.world.balances[p.account, "arrived" if seen[1] else None] += 1


def under_credited(p: Purchase) -> None:
    p.told()
    p.posted(value=p.amount - 70)
    p.truth("under_credited", 70)


def over_credited(p: Purchase) -> None:
    p.told()
    p.posted()
    p.posted(when=p.later)
    p.truth("over_credited", -p.amount)


def misdirected(p: Purchase) -> None:
    p.told()
    p.posted(to=f"{p.account}x")
    p.truth("misdirected", p.amount)


def wrong_asset(p: Purchase) -> None:
    p.told()
    p.posted(unit="MB")
    p.truth("wrong_asset", p.amount)


def reversed_after_credit(p: Purchase) -> None:
    reference = p.maybe()
    p.told()
    p.posted(reference=reference)
    p.posted(reference=reference, value=-p.amount, when=p.later)
    p.truth("reversed_after_credit", p.amount)


def late_credit(p: Purchase) -> None:
    p.told()
    p.posted(when=p.later)
    p.truth("late_credit", 0)


def orphan_credit(p: Purchase) -> None:
    p.posted(reference=p.maybe())
    p.truth("orphan_credit", -p.amount)


def two_amounts(p: Purchase) -> None:
    p.told()
    p.told(value=p.amount * 10)
    p.truth("ambiguous", p.amount)


def two_owners(p: Purchase) -> None:
    p.told()
    p.told(reference=None, to=f"{p.account}x")
    p.posted(to=f"{p.account}x")
    p.truth("ambiguous", p.amount)
    p.truth("ambiguous", p.amount, f"{p.account}x")


def retracted_but_credited(p: Purchase) -> None:
    p.told()
    p.posted()
    p.told(when=p.soon, outcome="reversed")
    p.truth("over_credited", -p.amount)


def identical(p: Purchase) -> None:
    confirmed, posted = p.chance.randint(1, 5), p.chance.randint(0, 5)
    for number in range(confirmed):
        p.told(reference=f"{p.reference}-{number}", when=p.at + timedelta(seconds=number))
    for number in range(posted):
        p.posted(reference=None, when=p.at + timedelta(minutes=1, seconds=number))
    for _ in range(confirmed - posted):
        p.truth("never_credited", p.amount)
    for _ in range(posted - confirmed):
        p.truth("orphan_credit", -p.amount)


def paid_and_credited(p: Purchase) -> None:
    p.paid(reference=p.maybe())
    p.told()
    p.posted()


def paid_not_told(p: Purchase) -> None:
    p.paid(reference=p.maybe())
    p.truth("paid_not_told", p.amount)


def paid_and_credited_without_a_message(p: Purchase) -> None:
    p.paid(reference=p.maybe())
    p.posted()
    p.truth("orphan_credit", -p.amount)


def charged_twice(p: Purchase) -> None:
    reference = p.maybe()
    p.paid(reference=reference)
    p.paid(reference=reference, when=p.at + timedelta(seconds=5))
    p.told()
    p.posted()
    p.truth("charged_twice", p.amount)


def charged_twice_and_given_back(p: Purchase) -> None:
    reference = p.maybe()
    p.paid(reference=reference)
    p.paid(reference=reference, when=p.at + timedelta(seconds=5))
    p.paid(reference=reference, value=-p.amount, when=p.later)
    p.told()
    p.posted()


def paid_and_never_credited(p: Purchase) -> None:
    p.paid(reference=p.maybe())
    p.told()
    p.truth("never_credited", p.amount)


def held_back(p: Purchase) -> None:
    reference = p.maybe()
    p.told(reference=reference)
    p.posted(kind="held")
    p.truth("held", p.amount)


FATES = {
    paid_and_credited: 6,
    paid_not_told: 4,
    paid_and_credited_without_a_message: 2,
    charged_twice: 3,
    charged_twice_and_given_back: 2,
    paid_and_never_credited: 2,
    held_back: 3,
    credited: 40,
    credited_without_reference: 6,
    told_without_reference: 5,
    in_two_parts: 4,
    two_messages: 3,
    slip_of_the_pen: 4,
    split_without_reference: 3,
    another_character: 3,
    neighbouring_purchases: 3,
    several_ways_to_split: 2,
    reversed_and_credited_again: 3,
    retracted: 3,
    never_credited: 8,
    balances: 6,
    under_credited: 4,
    over_credited: 4,
    misdirected: 4,
    wrong_asset: 3,
    reversed_after_credit: 4,
    late_credit: 5,
    orphan_credit: 4,
    two_amounts: 3,
    two_owners: 2,
    retracted_but_credited: 2,
    identical: 8,
}


class World:
    """What one seed makes: purchases with their fates, and the breaks that must come out, as (kind, account, owed)."""

    def __init__(self, seed: int, told_row: Any, posted_row: Any, paid_row: Any, at: Any) -> None:
        self.chance = random.Random(seed)
        self.told_row, self.posted_row, self.paid_row, self.at = told_row, posted_row, paid_row, at
        self.paid: list[dict[str, Any]] = []
        self.told: list[dict[str, Any]] = []
        self.posted: list[dict[str, Any]] = []
        self.truth: Counter[tuple[str, str, int]] = Counter()
        self.balances: Counter[tuple[str, str | None]] = Counter()
        for number in range(self.chance.randint(3, 12)):
            [fate] = self.chance.choices(list(FATES), list(FATES.values()))
            fate(Purchase(self, f"{seed}.{number}"))


@pytest.mark.parametrize("batches", [1, 6])
def test_everything_that_can_be_told_is_told_and_nothing_is_invented(
    new_folder, told_row, posted_row, paid_row, rows_of, balance_of, at, tmp_path, batches
) -> None:
    told, posted, paid = [], [], []
    truth: Counter[tuple[str, str, int]] = Counter()
    balances: Counter[tuple[str, str | None]] = Counter()
    for seed in range(FIRST_SEED, FIRST_SEED + WORLDS):
        world = World(seed, told_row, posted_row, paid_row, at)
        paid += world.paid
        told += world.told
        posted += world.posted
        truth += world.truth
        balances += world.balances
    folder = new_folder(tmp_path)
    step = 12 * 60 // batches
    for batch in range(batches):
        until = at(step * (batch + 1))
        fresh_told, told = split(told, "confirmed_at", until)
        fresh_posted, posted = split(posted, "posted_at", until)
        fresh_paid, paid = split(paid, "paid_at", until)
        folder.fold(fresh_told, fresh_posted, payments=fresh_paid, complete=until)
    assert not told
    assert not paid
    assert not posted
    judged = [row for row in rows_of(folder.outcomes[-1].folder / "judged.parquet") if row["kind"] != "settled"]
    found = Counter((row["kind"], row["account"], row["owed_minor"]) for row in judged)
    right = (found & truth).total()
    invented, ambiguous = (
        found.total() - right,
        sum(count for (kind, *_), count in found.items() if kind == "ambiguous"),
    )
    print(
        f"seeds {FIRST_SEED} to {FIRST_SEED + WORLDS - 1} in {batches} runs: {truth.total()} breaks in truth, {found.total()} found, "
        f"precision {right / found.total():.4f}, recall {right / truth.total():.4f}, {ambiguous} ambiguous, {invented} invented"
    )
    assert found == truth
    assert balances == Counter((row["account"], said["says"]) for row in judged if (said := balance_of(row)))
    assert all(
        ("balance" in (row["blocked"] or "")) == (said["says"] == "arrived")
        for row in judged
        if (said := balance_of(row))
    )


def split(rows: list[dict[str, Any]], time: str, until: Any) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    return [row for row in rows if row[time] < until], [row for row in rows if row[time] >= until]
