"""Where each key lies: which published files of the horizon hold a row of it, without opening them.

A key is the first half of a 128-bit id (a `match_key` or a `confirmation_id`), and of that the high bits: two that share them by
accident only get a file looked at in vain. A segment is two arrays, mapped into memory and never changed: sorted words, of which the
high bits are a key and the low bits say which file has it; and one bit for each pattern of leading bits, which says of nearly
every key that is not there that it is not, at one glance however long the history is. Segments are merged as they grow in
number; what names a file beyond the horizon goes then.
"""

import hashlib
import json
import os
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any, Final
from uuid import uuid4

import numpy as np
import numpy.typing as npt

from reconcile.matching.digests import empty

Keys = npt.NDArray[np.uint64]
Numbers = npt.NDArray[np.uint32]
Run = tuple[Keys, Numbers]
"""Keys in any order, and the number of the file of each."""

MERGED_AT_ONCE: Final = 4
SEGMENT_KEYS_MAX: Final = 1 << 25
"""A segment has at most as many: 0.33 GB on disk, and that in memory while it is made."""
FILE_BITS: Final = 20
"""The low bits of a word: of a full segment, one key in 500,000 that is not there is taken for one that is."""
_FILE: Final = np.uint64((1 << FILE_BITS) - 1)
_BITS_PER_KEY: Final = 16
"""Of the keys that a segment does not have, one in so many is looked for in it."""
BLOCK_BITS: Final = 20
"""So many patterns are looked at at a time: what stays in a processor's cache."""
_PARTS: Final = ("words", "bits")
_NOTHING: Final[Run] = (np.empty(0, dtype=np.uint64), np.empty(0, dtype=np.uint32))


@dataclass(frozen=True, slots=True)
class KeySegment:
    """`level`: how often it was merged. `first_file`, `last_file`: the numbers of its files lie between them."""

    name: str
    level: int
    keys: int
    first_file: int
    last_file: int

    @property
    def paths(self) -> tuple[str, ...]:
        """Its files, below the folder of all segments."""
        return tuple(f"{self.name}.{part}.npy" for part in _PARTS)


def build(folder: Path, runs: Sequence[Run], *, level: int = 0, made_of: object = None) -> KeySegment:
    """Write a segment of all keys of the runs, in whatever order these come; there is at least one key.

    The name says what is in it: a second run writes the same bytes under the same name. `made_of` is what tells it apart.
    """
    first = min(int(files.min()) for _, files in runs if len(files))
    last = max(int(files.max()) for _, files in runs if len(files))
    if last - first > _FILE:
        raise ValueError(f"a segment has at most {1 << FILE_BITS} files")
    words = _words(runs, first)
    name = hashlib.sha256(json.dumps(made_of, sort_keys=True).encode()).hexdigest()[:32]
    segment = KeySegment(name, level, len(words), first, last)
    folder.mkdir(parents=True, exist_ok=True)
    arrays: tuple[npt.NDArray[Any], ...] = (words, _bits(words))
    for path, array in zip(segment.paths, arrays, strict=True):
        _write(folder / path, array)
    return segment


def is_whole(folder: Path, segment: KeySegment) -> bool:
    """Whether all files of the segment are there."""
    return all((folder / path).exists() for path in segment.paths)


def files_of(folder: Path, segments: Iterable[KeySegment], keys: Keys) -> Run:
    """Those of the keys of which a file has a row, with the number of each such file."""
    keys = np.sort(keys)
    keys = keys[_is_first(keys)]
    runs = [_NOTHING, *(numbers_of(folder, segment, keys) for segment in segments)]
    return np.concatenate([found for found, _ in runs]), np.concatenate([numbers for _, numbers in runs])


def numbers_of(folder: Path, segment: KeySegment, keys: Keys) -> Run:
    """Those of the sorted keys that the segment has, with each number to which they lead."""
    bits = _open(folder, segment, "bits")
    pattern = keys >> np.uint64(64 - (len(bits) * 8 - 1).bit_length())
    set_bit = bits[pattern >> np.uint64(3)] >> (np.uint8(7) - (pattern & np.uint64(7)).astype(np.uint8)) & np.uint8(1)
    keys = keys[set_bit.astype(np.bool_)]
    words: Keys = _open(folder, segment, "words")
    first, beyond = np.searchsorted(words, keys & ~_FILE), np.searchsorted(words, keys | _FILE, "right")
    # The places from `first` up to `beyond`, of all keys in a row.
    counts = beyond - first
    places = np.repeat(beyond - np.cumsum(counts), counts) + np.arange(counts.sum())
    return np.repeat(keys, counts), (words[places] & _FILE).astype(np.uint32) + np.uint32(segment.first_file)


def compacted(folder: Path, segments: Sequence[KeySegment], live: Collection[int]) -> tuple[KeySegment, ...]:
    """Segments without those of which every file is gone, and with `MERGED_AT_ONCE` of one level merged into one of the next.

    `live`: the numbers of the files that can still be read again.
    """
    alive = np.array(sorted(live), dtype=np.uint32)
    kept = [one for one in segments if _any_within(alive, one)]
    level = 0
    while any(one.level >= level for one in kept):
        of_level = [one for one in kept if one.level == level and one.keys <= SEGMENT_KEYS_MAX // MERGED_AT_ONCE]
        if len(of_level) >= MERGED_AT_ONCE and of_level[-1].last_file - of_level[0].first_file <= _FILE:
            kept = [one for one in kept if one not in of_level]
            kept += _merged(folder, of_level, alive)
        level += 1
    return tuple(kept)


def _merged(folder: Path, parts: Sequence[KeySegment], alive: Numbers) -> list[KeySegment]:
    runs = [_still(*keys_and_files(folder, part), alive) for part in parts]
    known = [files for _, files in runs if len(files)]
    if not known:
        return []
    first, last = min(files.min() for files in known), max(files.max() for files in known)
    within = alive[(alive >= first) & (alive <= last)]
    made_of = [[part.name for part in parts], hashlib.sha256(within.tobytes()).hexdigest()]
    return [build(folder, runs, level=parts[0].level + 1, made_of=made_of)]


def _still(keys: Keys, files: Numbers, alive: Numbers) -> Run:
    """What is of files that are alive."""
    still = np.isin(files, alive)
    return (keys, files) if still.all() else (keys[still], files[still])


def keys_and_files(folder: Path, segment: KeySegment) -> Run:
    """All that the segment knows: the high bits of its keys, in their order, and the number of the file of each."""
    words: Keys = _open(folder, segment, "words")
    return words & ~_FILE, (words & _FILE).astype(np.uint32) + np.uint32(segment.first_file)


def _words(runs: Sequence[Run], first_file: int) -> Keys:
    """In their order: one sort, without a second array."""
    words = empty(sum(len(keys) for keys, _ in runs), np.dtype(np.uint64))
    start = 0
    for keys, files in runs:
        piece = words[start : start + len(keys)]
        np.bitwise_and(keys, ~_FILE, out=piece)
        piece |= files - np.uint32(first_file)
        start += len(keys)
    words.sort()
    return words


def _ends(words: Keys, width: int) -> list[tuple[int, int]]:
    """For each pattern of so many leading bits, where in the sorted words its own begin and end."""
    first_words = np.arange(1, 1 << width, dtype=np.uint64) << np.uint64(64 - width)
    return list(pairwise([0, *np.searchsorted(words, first_words).tolist(), len(words)]))


def _is_first(ordered: npt.NDArray[Any]) -> npt.NDArray[np.bool_]:
    """Where in a sorted array another value begins. (`np.unique` would import half of NumPy first.)"""
    return np.append(True, ordered[1:] != ordered[:-1])[: len(ordered)]


def _bits(words: Keys) -> npt.NDArray[np.uint8]:
    """For the sorted words, one bit for each pattern of leading bits: a power of two of them, in whole bytes."""
    width = max(3, (len(words) * _BITS_PER_KEY - 1).bit_length())
    of_block = min(width, BLOCK_BITS)
    bits = np.empty((1 << (width - of_block), 1 << (of_block - 3)), dtype=np.uint8)
    for block, (first, last) in enumerate(_ends(words, width - of_block)):
        is_there = np.zeros(1 << of_block, dtype=np.bool_)
        is_there[words[first:last] >> np.uint64(64 - width) & np.uint64((1 << of_block) - 1)] = True
        bits[block] = np.packbits(is_there)
    return bits.reshape(-1)


def _any_within(alive: Numbers, segment: KeySegment) -> bool:
    first = np.searchsorted(alive, segment.first_file)
    return bool(first < len(alive) and alive[first] <= segment.last_file)


def _open(folder: Path, segment: KeySegment, part: str) -> npt.NDArray[Any]:
    array: npt.NDArray[Any] = np.load(folder / f"{segment.name}.{part}.npy", mmap_mode="r")
    return array


def _write(file: Path, array: npt.NDArray[Any]) -> None:
    """The file appears whole or not at all; two that write the same do not meet."""
    if file.exists():
        return
    partial = file.with_name(f".{file.name}.{uuid4().hex}.partial")
    try:
        with partial.open("wb") as sink:
            np.save(sink, array)
            sink.flush()
            os.fsync(sink.fileno())
        partial.replace(file)
    except BaseException:
        partial.unlink(missing_ok=True)  # half a file on a full disk would keep it full
        raise
