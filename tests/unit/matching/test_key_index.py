from __future__ import annotations

import random
from typing import TYPE_CHECKING

import numpy as np
import pytest

from reconcile.matching import key_index
from reconcile.matching.key_index import build, compacted, files_of

if TYPE_CHECKING:
    from pathlib import Path

MAX = 2**64 - 1


def segment(folder: Path, rows: list[tuple[int, int]], **options: object) -> key_index.KeySegment:
    keys, files = zip(*rows, strict=True)
    return build(folder, np.array(keys, np.uint64), np.array(files, np.uint32), made_of=rows, **options)


def asked(*keys: int) -> np.ndarray:
    return np.array(keys, np.uint64)


@pytest.mark.parametrize("seed", range(5))
def test_every_file_that_holds_a_key_is_found_and_no_other_however_often_segments_were_merged(tmp_path, seed) -> None:
    chance = random.Random(seed)
    # Neighbours, both ends, and keys that several files share.
    pool = [0, 1, MAX, MAX - 1, *(chance.randint(0, MAX) for _ in range(500))]
    truth: dict[int, set[int]] = {}
    segments: tuple[key_index.KeySegment, ...] = ()
    for file in range(1, 40):
        rows = [(chance.choice(pool), file) for _ in range(chance.choice([1, 2, 7, 60]))]
        for key, _ in rows:
            truth.setdefault(key, set()).add(file)
        segments = compacted(tmp_path, (*segments, segment(tmp_path, rows)), range(1, 40))
    assert len(segments) < 2 * key_index.MERGED_AT_ONCE
    for key in pool:
        assert files_of(tmp_path, segments, asked(key)) == truth.get(key, set())
        assert files_of(tmp_path, segments, asked(key ^ 2)) == truth.get(key ^ 2, set())
    assert files_of(tmp_path, segments, asked(*pool)) == set().union(*truth.values())
    assert files_of(tmp_path, segments, asked()) == set()


def test_what_names_files_beyond_the_horizon_goes_when_segments_are_merged_and_whole_segments_at_once(tmp_path) -> None:
    segments = tuple(segment(tmp_path, [(7, file), (file * 10**18, 9)]) for file in range(1, 5))
    [merged] = compacted(tmp_path, segments, [2, 4, 9])
    assert (merged.keys, merged.first_file, merged.last_file, merged.level) == (6, 2, 9, 1)
    assert files_of(tmp_path, [merged], asked(7)) == {2, 4}
    assert compacted(tmp_path, [merged], [4]) == (merged,)
    assert compacted(tmp_path, [merged], [1, 10]) == ()


def test_a_second_run_writes_the_same_bytes_under_the_same_name(tmp_path) -> None:
    rows = [(5, 1), (3, 2), (5, 2)]
    one, other = segment(tmp_path / "one", rows), segment(tmp_path / "other", rows)
    assert one == other
    for path in one.paths:
        assert (tmp_path / "one" / path).read_bytes() == (tmp_path / "other" / path).read_bytes()


def test_a_segment_without_one_of_its_files_is_not_whole(tmp_path) -> None:
    one = segment(tmp_path, [(5, 1)])
    assert key_index.is_whole(tmp_path, one)
    (tmp_path / one.paths[2]).unlink()
    assert not key_index.is_whole(tmp_path, one)


def test_large_segments_are_not_merged_again(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(key_index, "SEGMENT_KEYS_MAX", 8)
    large = [segment(tmp_path, [(file, file), (file + 9, file), (file + 99, file)]) for file in range(1, 5)]
    small = [segment(tmp_path, [(file, file)]) for file in range(5, 9)]
    found = compacted(tmp_path, [*large, *small], range(1, 9))
    assert [one.level for one in found] == [0, 0, 0, 0, 1]
