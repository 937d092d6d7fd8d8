"""Where each key lies: which published files of the horizon hold a row of it, without opening them.

A key is the first half of a 128-bit id (a `match_key` or a `confirmation_id`): two that share it by accident only get a file
looked at in vain. A segment is three arrays of equal standing, mapped into memory and never changed: the sorted keys, the
number of the file of each, and one bit for each pattern of leading bits, which says of nearly every key that is not there
that it is not, at one glance however long the history is. Segments are merged as they grow in number; what names a file beyond
the horizon goes then.
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

Keys = npt.NDArray[np.uint64]
Numbers = npt.NDArray[np.uint32]
Run = tuple[Keys, Numbers]
"""Sorted keys, and the number of the file of each."""

MERGED_AT_ONCE: Final = 4
SEGMENT_KEYS_MAX: Final = 1 << 25
"""What is merged has at most as many: 0.5 GB on disk, and that in memory while it is made."""
_BITS_PER_KEY: Final = 16
"""Of the keys that a segment does not have, one in so many is looked for in it."""
BLOCK_KEYS: Final = 1 << 16
BLOCK_BITS: Final = 20
"""So much is put in order at a time, and so many patterns are looked at: what stays in a processor's cache."""
_PARTS: Final = ("keys", "files", "bits")


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
    keys, files = _in_order(runs)
    name = hashlib.sha256(json.dumps(made_of, sort_keys=True).encode()).hexdigest()[:32]
    segment = KeySegment(name, level, len(keys), int(files.min()), int(files.max()))
    folder.mkdir(parents=True, exist_ok=True)
    arrays: tuple[npt.NDArray[Any], ...] = (keys, files, _bits(keys))
    for path, array in zip(segment.paths, arrays, strict=True):
        _write(folder / path, array)
    return segment


def is_whole(folder: Path, segment: KeySegment) -> bool:
    """Whether all files of the segment are there."""
    return all((folder / path).exists() for path in segment.paths)


def files_of(folder: Path, segments: Iterable[KeySegment], keys: Keys) -> frozenset[int]:
    """The numbers of the files that hold a row of any of the keys."""
    keys = np.sort(keys)
    keys = keys[_is_first(keys)]
    found: set[int] = set()
    for segment in segments:
        found.update(_found(folder, segment, keys).tolist())
    return frozenset(found)


def compacted(folder: Path, segments: Sequence[KeySegment], live: Collection[int]) -> tuple[KeySegment, ...]:
    """Segments without those of which every file is gone, and with `MERGED_AT_ONCE` of one level merged into one of the next.

    `live`: the numbers of the files that can still be read again.
    """
    alive = np.array(sorted(live), dtype=np.uint32)
    kept = [one for one in segments if _any_within(alive, one)]
    level = 0
    while any(one.level >= level for one in kept):
        of_level = [one for one in kept if one.level == level and one.keys <= SEGMENT_KEYS_MAX // MERGED_AT_ONCE]
        if len(of_level) >= MERGED_AT_ONCE:
            kept = [one for one in kept if one not in of_level]
            kept += _merged(folder, of_level, alive)
        level += 1
    return tuple(kept)


def _merged(folder: Path, parts: Sequence[KeySegment], alive: Numbers) -> list[KeySegment]:
    runs = [_still(_open(folder, part, "keys"), _open(folder, part, "files"), alive) for part in parts]
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


def _in_order(runs: Sequence[Run]) -> Run:
    """One run of all, by key and then by file.

    Block by block of leading bits, each of which is one piece of every run: several times faster than a sort of the whole, which
    would leave the cache with each key, and no more memory than what comes of it.
    """
    size = sum(len(keys) for keys, _ in runs)
    all_keys, all_files = np.empty(size, np.uint64), np.empty(size, np.uint32)
    ends = [_ends(keys, (size // BLOCK_KEYS).bit_length()) for keys, _ in runs]
    start = 0
    for places in zip(*ends, strict=True):
        pieces = [slice(first, last) for first, last in places]
        keys = np.concatenate([keys[piece] for (keys, _), piece in zip(runs, pieces, strict=True)])
        files = np.concatenate([files[piece] for (_, files), piece in zip(runs, pieces, strict=True)])
        order = np.argsort(keys)
        block = slice(start, start := start + len(keys))
        all_keys[block] = keys = keys[order]
        # The how manieth key of the block, and the file: the files of one key come in their order, on every processor.
        number = np.cumsum(_is_first(keys), dtype=np.uint64)
        number = number << np.uint64(32) | files[order]
        number.sort()
        all_files[block] = number & np.uint64(0xFFFF_FFFF)
    return all_keys, all_files


def _ends(keys: Keys, width: int) -> list[tuple[int, int]]:
    """For each pattern of so many leading bits, where in the sorted keys its own begin and end."""
    first_keys = np.arange(1, 1 << width, dtype=np.uint64) << np.uint64(64 - width)
    return list(pairwise([0, *np.searchsorted(keys, first_keys).tolist(), len(keys)]))


def _found(folder: Path, segment: KeySegment, keys: Keys) -> Numbers:
    """The files of those of the sorted `keys` that the segment has."""
    bits = _open(folder, segment, "bits")
    pattern = keys >> np.uint64(64 - (len(bits) * 8 - 1).bit_length())
    set_bit = bits[pattern >> np.uint64(3)] >> (np.uint8(7) - (pattern & np.uint64(7)).astype(np.uint8)) & np.uint8(1)
    keys = keys[set_bit.astype(np.bool_)]
    known = _open(folder, segment, "keys")
    first = np.searchsorted(known, keys)
    is_there = known[np.minimum(first, len(known) - 1)] == keys
    first, beyond = first[is_there], np.searchsorted(known, keys[is_there], "right")
    # The places from `first` up to `beyond`, of all keys in a row.
    counts = beyond - first
    places = np.repeat(beyond - np.cumsum(counts), counts) + np.arange(counts.sum())
    files: Numbers = _open(folder, segment, "files")[places]
    files.sort()
    return files[_is_first(files)]


def _is_first(ordered: npt.NDArray[Any]) -> npt.NDArray[np.bool_]:
    """Where in a sorted array another value begins. (`np.unique` would import half of NumPy first.)"""
    return np.append(True, ordered[1:] != ordered[:-1])[: len(ordered)]


def _bits(keys: Keys) -> npt.NDArray[np.uint8]:
    """For the sorted keys, one bit for each pattern of leading bits: a power of two of them, in whole bytes."""
    width = max(3, (len(keys) * _BITS_PER_KEY - 1).bit_length())
    of_block = min(width, BLOCK_BITS)
    bits = np.empty((1 << (width - of_block), 1 << (of_block - 3)), dtype=np.uint8)
    for block, (first, last) in enumerate(_ends(keys, width - of_block)):
        is_there = np.zeros(1 << of_block, dtype=np.bool_)
        is_there[keys[first:last] >> np.uint64(64 - width) & np.uint64((1 << of_block) - 1)] = True
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
