from collections import Counter
from collections.abc import Iterator
from itertools import chain
from pathlib import Path

import numpy as np
import pytest

from reconcile.matching.digests import BLOCK_ROWS, Digests, by_block
from reconcile.matching.plain import find_plain_pairs
from reconcile.matching.session import Session

KEY, SWAPPED = "0123456789abcdef-fedcba9876543210", "fedcba9876543210-0123456789abcdef"
"""Two keys with one digest: their halves change places."""


@pytest.mark.parametrize("keys", [3, BLOCK_ROWS // 3, 2 * BLOCK_ROWS])
def test_rows_of_one_key_are_found_wherever_the_blocks_are_cut(keys: int) -> None:
    rows = 2 * BLOCK_ROWS + 1
    of_row = np.random.default_rng(keys).integers(0, keys, rows, dtype=np.uint64)
    digests = Digests(rows)
    for start in range(0, rows, 100_000):
        numbers = np.arange(start, min(start + 100_000, rows), dtype=np.uint64)
        digests.add(of_row[start : start + 100_000], numbers)
    digests.sort()
    times = Counter(of_row.tolist())
    pairs = [pair for one, other in by_block(rows, digests.pairs) for pair in zip(one, other, strict=True)]
    assert all(one < other and of_row[one] == of_row[other] for one, other in pairs)
    assert {of_row[one] for one, _ in pairs} == {key for key, count in times.items() if count == 2}
    repeated = set(chain.from_iterable(found.tolist() for found in by_block(rows, digests.repeated)))
    assert repeated == {row for row in range(rows) if times[of_row[row]] > 1}


@pytest.mark.parametrize(("posted", "plain"), [(KEY, 1), (SWAPPED, 0)])
def test_two_keys_that_share_a_digest_are_no_pair(session: Session, posted: str, plain: int) -> None:
    _rows_at_hand(session, f"VALUES (0, '{KEY}')", f"VALUES (0, '{posted}')")
    assert find_plain_pairs(session, (1, 1)).count == plain
    assert session.rows("SELECT (SELECT count(*) FROM odd_told), (SELECT count(*) FROM odd_posted)") == [
        (1 - plain, 1 - plain)
    ]


def test_rows_without_a_key_and_rows_that_are_not_at_hand_are_in_no_pair(session: Session) -> None:
    _rows_at_hand(session, f"VALUES (3, NULL), (1, '{KEY}')", f"VALUES (4, NULL), (2, NULL), (0, '{KEY}')")
    pairs = find_plain_pairs(session, (4, 5))
    assert pairs.is_plain.tolist() == [False, True, False, False]
    assert pairs.entry_of[1] == 0
    assert session.rows("SELECT list(row ORDER BY row) FROM odd_posted") == [([1, 2, 3, 4],)]


@pytest.fixture
def session(tmp_path: Path) -> Iterator[Session]:
    with Session(tmp_path) as opened:
        opened.set_variable("since", "TIMESTAMPTZ", "2024-07-09 00:00:00+00")
        opened.set_variable("deadline_after_us", "BIGINT", 900_000_000)
        opened.execute("CREATE TEMP TABLE watched (id UUID)")
        yield opened


def _rows_at_hand(session: Session, told: str, posted: str) -> None:
    at = "100::BIGINT AS amount_minor, TIMESTAMPTZ '2024-07-09 12:00:00+00'"
    session.execute(
        "CREATE TEMP TABLE confirmation AS SELECT row::UINTEGER AS row, match_key::UUID AS match_key, uuidv4() AS confirmation_id, "
        f"'success' AS outcome, {at} AS confirmed_at FROM ({told}) AS told (row, match_key)"
    )
    session.execute(
        "CREATE TEMP TABLE entry AS SELECT row::UINTEGER AS row, match_key::UUID AS match_key, uuidv4() AS entry_id, "
        f"{at} AS posted_at FROM ({posted}) AS posted (row, match_key)"
    )
    session.execute("CREATE TEMP VIEW ledger AS FROM entry")
