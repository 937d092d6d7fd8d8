from reconcile.matching.identity import MAX_AUGMENTED_CLASS, Candidate, assign, link_all

MINUTE = 60_000_000
WINDOW = 15 * MINUTE


def row(side: str, minute: float, id_: int, *, named: bool = False, contest: int = 1) -> Candidate:
    return Candidate(contest, side, int(minute * MINUTE), id_, named)


def links(*rows: Candidate) -> dict[int, int]:
    return {link.unit_id: link.group_id for link in link_all(sorted(rows), WINDOW)}


def test_each_confirmation_takes_the_earliest_free_entry_not_the_nearest() -> None:
    one, two = row("confirmation", 0, 1), row("confirmation", 5, 2)
    near, far = row("entry", 4, 3), row("entry", 19, 4)
    # The entry nearest to `two` is 3; taking it would leave `one` and 4 with nobody.
    assert links(one, two, near, far) == {3: 1, 4: 2}


def test_an_entry_before_its_confirmation_or_after_the_window_is_nobodys() -> None:
    assert links(row("confirmation", 5, 1), row("entry", 4.9, 2), row("entry", 20.1, 3)) == {}
    assert links(row("confirmation", 5, 1), row("entry", 5, 2)) == {2: 1}
    assert links(row("confirmation", 5, 1), row("entry", 20, 2)) == {2: 1}


def test_a_confirmation_moves_to_another_entry_when_one_more_can_then_be_matched() -> None:
    unnamed, named = row("confirmation", 0, 1), row("confirmation", 1, 2, named=True)
    free, with_reference = row("entry", 2, 3), row("entry", 3, 4, named=True)
    # First come, first served would give 3 to `unnamed`, and `named` may not have 4.
    assert links(unnamed, named, free, with_reference) == {3: 2, 4: 1}


def test_a_reversal_takes_back_the_latest_earlier_entry_and_says_whose() -> None:
    rows = [row("confirmation", 0, 1), row("entry", 1, 2), row("entry", 2, 3), row("reversal", 9, 4)]
    assert links(*rows) == {2: 1, 4: 3}
    assert links(row("confirmation", 0, 1), row("entry", 1, 2), row("reversal", 9, 4)) == {2: 1, 4: 1}
    assert links(row("entry", 5, 2), row("reversal", 4, 4)) == {}


def test_a_class_beyond_the_limit_is_served_first_come_first_served() -> None:
    confirmations = [row("confirmation", n / 1000, n, named=bool(n % 2)) for n in range(MAX_AUGMENTED_CLASS)]
    entries = [row("entry", 5 + n / 1000, n, named=bool(n % 3)) for n in range(MAX_AUGMENTED_CLASS)]
    taken = assign(confirmations, entries, WINDOW)
    assert len(set(taken.values())) == len(taken)
    assert not any(confirmations[told].named and entries[posted].named for told, posted in taken.items())


def test_a_hundred_thousand_identical_purchases_are_matched_in_time_order() -> None:
    count = 100_000
    confirmations = [row("confirmation", n / 1000, n) for n in range(count)]
    entries = [row("entry", n / 1000 + 0.5, n) for n in range(count)]
    assert assign(confirmations, entries, WINDOW) == {n: n for n in range(count)}
