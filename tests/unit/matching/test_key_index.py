from __future__ import annotations

import random
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from reconcile.matching import key_index
from reconcile.matching.key_index import build, compacted
from reconcile.matching.session import Session

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

MAX = 2**64 - 1
FILES = 2**key_index.FILE_BITS
"""The bits of a word that are none of its key."""


def segment(folder: Path, rows: list[tuple[int, int]], **options: object) -> key_index.KeySegment:
    runs = [(np.array([key], np.uint64), np.array([file], np.uint32)) for key, file in rows]
    return build(folder, runs, made_of=rows, **options)


def asked(*keys: int) -> np.ndarray:
    return np.array(keys, np.uint64)


def files_of(folder: Path, segments: Iterable[key_index.KeySegment], keys: np.ndarray) -> set[int]:
    found, numbers = key_index.files_of(folder, segments, keys)
    assert len(found) == len(numbers)
    assert set(found.tolist()) <= set(keys.tolist())
    return set(numbers.tolist())


def in_small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(key_index, "BLOCK_BITS", 6)


@pytest.mark.parametrize("seed", range(5))
def test_every_file_that_holds_a_key_is_found_and_no_other_however_often_segments_were_merged(
    tmp_path, seed, monkeypatch
) -> None:
    if seed % 2:
        in_small_blocks(monkeypatch)
    chance = random.Random(seed)
    # Neighbours, both ends, and keys that several files share.
    pool = [0, FILES, MAX, MAX - FILES, *(chance.randint(0, MAX) for _ in range(500))]
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
        neighbour = key ^ FILES
        assert files_of(tmp_path, segments, asked(neighbour)) == truth.get(neighbour, set())
    assert files_of(tmp_path, segments, asked(*pool)) == set().union(*truth.values())
    found, numbers = key_index.files_of(tmp_path, segments, asked(*pool, *pool))
    pairs = list(zip(found.tolist(), numbers.tolist(), strict=True))
    assert set(pairs) == {(key, file) for key, files in truth.items() for file in files}
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


@pytest.mark.parametrize("seed", range(5))
def test_the_bytes_depend_neither_on_the_order_of_the_runs_nor_on_how_rows_are_cut_into_them(
    tmp_path, seed, monkeypatch
) -> None:
    chance = random.Random(seed)
    pool = [0, 1, MAX, MAX - 1, *(chance.randint(0, MAX) for _ in range(300))]
    rows = [(chance.choice(pool), chance.randint(1, 9)) for _ in range(1000)]
    one = segment(tmp_path / "one", rows)
    [words, bits] = [np.load(tmp_path / "one" / path) for path in one.paths]
    assert words.tolist() == sorted(key // FILES * FILES + file - one.first_file for key, file in rows)
    width = (len(bits) * 8 - 1).bit_length()
    assert set(np.flatnonzero(np.unpackbits(bits)).tolist()) == {key >> (64 - width) for key, _ in rows}
    in_small_blocks(monkeypatch)
    by_file = [sorted(key for key, of in rows if of == file) for file in range(9, 0, -1)]
    runs = [(np.array(keys, np.uint64), np.full(len(keys), 9 - place, np.uint32)) for place, keys in enumerate(by_file)]
    other = build(tmp_path / "other", runs, made_of=rows)
    assert one == other
    for path in one.paths:
        assert (tmp_path / "one" / path).read_bytes() == (tmp_path / "other" / path).read_bytes()


def test_of_published_files_every_key_is_read_with_the_place_of_its_file_and_what_has_none_is_left_out(
    tmp_path,
) -> None:
    chance = random.Random(7)
    told = [
        [(chance.randbytes(16), chance.randbytes(16) if chance.random() < 0.7 else None) for _ in range(count)]
        for count in (300, 0, 1, 2500)
    ]
    paths = [str(tmp_path / f"{place}.parquet") for place in range(len(told))]
    for path, rows in zip(paths, told, strict=True):
        columns = zip(*rows, strict=True) if rows else ([], [])
        arrays = [pa.array(column, pa.uuid()) for column in columns]
        pq.write_table(pa.table(arrays, names=["confirmation_id", "match_key"]), path)
    found: dict[int, list[int]] = {}
    with Session(tmp_path) as session:
        for place, keys in session.keys_of_files(paths, ["match_key", "confirmation_id"]):
            found.setdefault(place, []).extend(keys.tolist())
        assert list(session.keys_of_files([], ["match_key"])) == []
    assert {place: sorted(keys) for place, keys in found.items()} == {
        place: sorted(int.from_bytes(one[:8]) for row in rows for one in row if one is not None)
        for place, rows in enumerate(told)
        if rows
    }


def test_a_segment_without_one_of_its_files_is_not_whole(tmp_path) -> None:
    one = segment(tmp_path, [(5, 1)])
    assert key_index.is_whole(tmp_path, one)
    (tmp_path / one.paths[1]).unlink()
    assert not key_index.is_whole(tmp_path, one)


def test_large_segments_are_not_merged_again(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(key_index, "SEGMENT_KEYS_MAX", 8)
    large = [segment(tmp_path, [(file, file), (file + 9, file), (file + 99, file)]) for file in range(1, 5)]
    small = [segment(tmp_path, [(file, file)]) for file in range(5, 9)]
    found = compacted(tmp_path, [*large, *small], range(1, 9))
    assert [one.level for one in found] == [0, 0, 0, 0, 1]


def test_files_whose_numbers_are_too_far_apart_are_in_no_segment_together(tmp_path, monkeypatch) -> None:
    with pytest.raises(ValueError, match="at most 1048576 files"):
        segment(tmp_path, [(1, 1), (2, FILES + 1)])
    apart = [segment(tmp_path, [(file, file)]) for file in (1, 2, 3, FILES + 1)]
    assert compacted(tmp_path, apart, range(1, FILES + 2)) == tuple(apart)
    near = [segment(tmp_path, [(file * FILES, file)]) for file in (1, 2, 3, FILES)]
    [merged] = compacted(tmp_path, near, range(1, FILES + 1))
    assert files_of(tmp_path, [merged], asked(FILES, FILES**2)) == {1, FILES}
