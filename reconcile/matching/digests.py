"""Which rows share a key, among tens of millions: one sort of 64-bit words, and no hash table."""

import mmap
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final, TypeVar

import numpy as np
import numpy.typing as npt

Rows = npt.NDArray[np.uint32]
Words = npt.NDArray[np.uint64]
Found = TypeVar("Found")

BLOCK_ROWS: Final = 1 << 18
"""So many rows at a time stay in a processor's cache."""

_THREADS: Final = 2
_ODD: Final = np.uint64(0x9E3779B97F4A7C15)  # 2^64 over the golden ratio: mixes low bits into the high ones


class Digests:
    """Words of which the high bits are of a key and the low bits are the number of its row.

    Once they are sorted, rows of one key are neighbours. So may be, rarely, rows of two keys (for twice ten million rows 39
    bits remain of a key): who asks compares the keys themselves, or gives both rows a closer look.
    """

    def __init__(self, size: int) -> None:
        """`size`: more than any row number, and at least as many as rows will be added."""
        self._words: Words = empty(size, np.dtype(np.uint64))
        self._row_bits = np.uint64((1 << size.bit_length()) - 1)
        self._count = 0

    def add(self, keys: npt.NDArray[Any], rows: Words) -> None:
        """`keys`: words, or values of 16 bytes; `rows`: their numbers."""
        halves = keys.view(np.uint64)
        mixed = halves[::2] ^ halves[1::2] if len(halves) > len(keys) else halves
        words = self._words[self._count : self._count + len(keys)]
        np.multiply(mixed, _ODD, out=words)
        words &= ~self._row_bits
        words |= rows
        self._count += len(keys)

    def sort(self) -> None:
        """Once, after all rows were added."""
        self._words = self._words[: self._count]
        self._words.sort()

    def pairs(self, start: int) -> tuple[Words, Words]:
        """The rows, the lesser one first, of keys that exactly two rows have, in the block of words from `start` on."""
        before = min(start, 1)
        same = self._same_as_next(start - before, start + BLOCK_ROWS + 1)
        alone = same.copy()
        alone[1:] &= ~same[:-1]
        alone[:-1] &= ~same[1:]
        places = np.flatnonzero(alone[before : before + BLOCK_ROWS]) + start
        return self._words[places] & self._row_bits, self._words[places + 1] & self._row_bits

    def repeated(self, start: int) -> Words:
        """The rows of keys that several rows have, in the block of words from `start` on, and perhaps some of them twice."""
        places = np.flatnonzero(self._same_as_next(start, start + BLOCK_ROWS)) + start
        return np.concatenate([self._words[places], self._words[places + 1]]) & self._row_bits

    def _same_as_next(self, start: int, stop: int) -> npt.NDArray[np.bool_]:
        """Whether a word's key is that of the next one, from `start` to before `stop` or to the last but one."""
        following = self._words[start + 1 : stop + 1]
        same: npt.NDArray[np.bool_] = (self._words[start : start + len(following)] ^ following) <= self._row_bits
        return same

    def __len__(self) -> int:
        return self._count


def empty(size: int, kind: np.dtype[Any]) -> npt.NDArray[Any]:
    """An array of any values, in pages of the usual size: huge ones, for which NumPy asks, cost several times as much to get."""
    private = mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS
    return np.frombuffer(mmap.mmap(-1, max(1, size) * kind.itemsize, flags=private), kind, count=size)


def by_block(size: int, work: Callable[[int], Found]) -> Iterator[Found]:
    """`work` of the first row of each block, in their order: NumPy lets several threads compute."""
    with ThreadPoolExecutor(_THREADS) as threads:
        yield from threads.map(work, range(0, size, BLOCK_ROWS))
