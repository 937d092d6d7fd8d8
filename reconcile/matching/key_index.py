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
from pathlib import Path
from typing import Any, Final
from uuid import uuid4

import numpy as np
import numpy.typing as npt

Keys = npt.NDArray[np.uint64]
Numbers = npt.NDArray[np.uint32]

MERGED_AT_ONCE: Final = 4
SEGMENT_KEYS_MAX: Final = 1 << 25
"""What is merged has at most as many: 0.5 GB on disk, and twice that in memory while it is made."""
_BITS_PER_KEY: Final = 16
"""Of the keys that a segment does not have, one in so many is looked for in it."""
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


def build(folder: Path, keys: Keys, files: Numbers, *, level: int = 0, made_of: object = None) -> KeySegment:
    """Write a segment; `keys` in any order, `files` the number of the file of each; neither is empty.

    The name says what is in it: a second run writes the same bytes under the same name. `made_of` is what tells it apart.
    """
    order = np.argsort(keys, kind="stable")
    keys, files = keys[order], files[order]
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
    keys = np.unique(keys)
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
    keys = np.concatenate([_open(folder, part, "keys") for part in parts])
    files = np.concatenate([_open(folder, part, "files") for part in parts])
    still = np.isin(files, alive)
    if not still.all():
        keys, files = keys[still], files[still]
    if not len(keys):
        return []
    within = alive[(alive >= files.min()) & (alive <= files.max())]
    made_of = [[part.name for part in parts], hashlib.sha256(within.tobytes()).hexdigest()]
    return [build(folder, keys, files, level=parts[0].level + 1, made_of=made_of)]


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
    return np.unique(files)


def _bits(keys: Keys) -> npt.NDArray[np.uint8]:
    """For the sorted keys, one bit for each pattern of leading bits: a power of two of them, in whole bytes."""
    width = max(3, (len(keys) * _BITS_PER_KEY - 1).bit_length())
    pattern = keys >> np.uint64(64 - width)
    place, bit = pattern >> np.uint64(3), np.uint8(128) >> (pattern & np.uint64(7)).astype(np.uint8)
    starts = np.flatnonzero(np.append(True, place[1:] != place[:-1]))
    bits = np.zeros(1 << (width - 3), dtype=np.uint8)
    bits[place[starts]] = np.bitwise_or.reduceat(bit, starts)
    return bits


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
