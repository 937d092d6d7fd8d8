"""Columns of all rows at hand, in which a row's number is its place."""

from collections.abc import Mapping
from typing import Any, Final, Protocol

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from reconcile.matching.digests import Rows, Words, empty

_NUMPY: Final[Mapping[int, np.dtype[Any]]] = {4: np.dtype(np.uint32), 8: np.dtype(np.uint64), 16: np.dtype("V16")}


class RowColumn(Protocol):
    """Filled batch by batch, and then read by row numbers."""

    type: Any

    def add(self, values: Any, rows: Words) -> None: ...

    def take(self, rows: npt.NDArray[Any]) -> Any:
        """The values of these rows, as an Arrow array."""
        ...


class FixedColumn:
    """Values of one width: integers and UUIDs."""

    def __init__(self, kind: Any, size: int) -> None:
        self.type = kind
        self.values = empty(size, _NUMPY[_stored(kind).byte_width])

    def add(self, values: Any, rows: Words) -> None:
        self.values[_place(rows)] = fixed(values)

    def take(self, rows: npt.NDArray[Any]) -> Any:
        return self.of(self.values.take(rows))

    def of(self, values: npt.NDArray[Any]) -> Any:
        """Values of this kind as an Arrow array, which keeps their memory."""
        stored = pa.Array.from_buffers(_stored(self.type), len(values), [None, pa.py_buffer(values)])
        return pa.ExtensionArray.from_storage(self.type, stored) if isinstance(self.type, pa.ExtensionType) else stored


class TextColumn:
    """Other people's ids."""

    def __init__(self, kind: Any, size: int) -> None:
        self.type = kind
        self._size = size
        self._chunks: list[Any] = []
        self._count = 0
        self._place_of: Rows | None = None
        """By row number, where its value is; None while each is at its own number, as it nearly always is."""
        self._whole: Any = None

    def add(self, values: Any, rows: Words) -> None:
        # In memory of their own: those that came would keep all other columns of their batch.
        self._chunks.append(pa.concat_arrays([values]))
        place = _place(rows)
        if self._place_of is None and not (isinstance(place, slice) and place.start == self._count):
            self._place_of = np.arange(self._size, dtype=np.uint32)
        if self._place_of is not None:
            self._place_of[place] = np.arange(self._count, self._count + len(rows), dtype=np.uint32)
        self._count += len(rows)

    def take(self, rows: npt.NDArray[Any]) -> Any:
        if self._whole is None:
            self._whole = pa.chunked_array(self._chunks, type=self.type).combine_chunks()
            self._chunks = []
        return self._whole.take(as_arrow(rows if self._place_of is None else self._place_of[rows]))


def fixed(values: Any) -> npt.NDArray[Any]:
    """An Arrow array of integers or UUIDs as a NumPy array of the same memory; what stands for a NULL means nothing."""
    stored = values.storage if isinstance(values, pa.ExtensionArray) else values
    kind = _NUMPY[stored.type.byte_width]
    return np.frombuffer(stored.buffers()[1], kind, count=len(stored), offset=stored.offset * kind.itemsize)


def is_known(values: Any) -> npt.NDArray[np.bool_]:
    """Which values of an Arrow array with NULLs are none."""
    bits = np.unpackbits(np.frombuffer(values.buffers()[0], np.uint8), bitorder="little")
    return bits[values.offset : values.offset + len(values)].astype(np.bool_)


def as_arrow(values: npt.NDArray[Any]) -> Any:
    """An array of numbers as an Arrow array of the same memory. `pa.array` would import pandas, which takes longer than many a fold."""
    return pa.Array.from_buffers(pa.from_numpy_dtype(values.dtype), len(values), [None, pa.py_buffer(values)])


def column(kind: Any, size: int) -> RowColumn:
    """An empty column for `size` values of this Arrow type."""
    is_text = pa.types.is_string(kind) or pa.types.is_large_string(kind)
    return TextColumn(kind, size) if is_text else FixedColumn(kind, size)


def _stored(kind: Any) -> Any:
    return kind.storage_type if isinstance(kind, pa.ExtensionType) else kind


def _place(rows: Words) -> Any:
    """A slice where the rows follow one another, as they nearly always do."""
    first, last = int(rows[0]), int(rows[-1])
    in_order = last - first == len(rows) - 1 and bool(np.all(rows[1:] > rows[:-1]))
    return slice(first, last + 1) if in_order else rows
