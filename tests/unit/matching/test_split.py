from reconcile.matching.split import MAX_PARTS, Part, split_all


def parts(group_id: int, amount_minor: int, *of: tuple[int, int]) -> list[Part]:
    return [Part(group_id, amount_minor, unit_id, part_minor) for unit_id, part_minor in of]


def test_the_only_subset_that_adds_up_is_linked() -> None:
    found = split_all(parts(1, 1050, (10, 1000), (11, 50), (12, 300)))
    assert [(link.unit_id, link.group_id) for link in found.links] == [(10, 1), (11, 1)]
    assert found.doubtful == []


def test_no_subset_is_no_doubt() -> None:
    found = split_all(parts(1, 1050, (10, 1000), (11, 60)))
    assert (found.links, found.doubtful) == ([], [])


def test_two_subsets_are_a_doubt() -> None:
    found = split_all(parts(1, 1000, (10, 500), (11, 500), (12, 500)))
    assert (found.links, found.doubtful) == ([], [1])


def test_an_entry_that_two_purchases_could_use_is_nobodys() -> None:
    found = split_all(parts(1, 1000, (10, 700), (11, 300)) + parts(2, 1200, (10, 700), (12, 500)))
    assert (found.links, found.doubtful) == ([], [1, 2])


def test_too_many_entries_are_left_to_a_person() -> None:
    found = split_all(parts(1, 1000, *[(unit_id, 100) for unit_id in range(MAX_PARTS + 1)]))
    assert (found.links, found.doubtful) == ([], [1])
