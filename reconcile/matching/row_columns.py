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
        self._rows: list[Words] = []
        self._whole: tuple[Any, Rows | None] | None = None

    def add(self, values: Any, rows: Words) -> None:
        self._chunks.append(values)
        self._rows.append(rows)

    def take(self, rows: npt.NDArray[Any]) -> Any:
        self._whole = self._whole or self._joined()
        values, place_of = self._whole
        return values.take(as_arrow(rows if place_of is None else place_of[rows]))

    def _joined(self) -> tuple[Any, Rows | None]:
        values = pa.chunked_array(self._chunks, type=self.type).combine_chunks()
        self._chunks = []
        rows = np.concatenate(self._rows) if self._rows else np.empty(0, np.uint64)
        if np.array_equal(rows, np.arange(len(rows), dtype=rows.dtype)):
            return values, None
        place_of = np.zeros(self._size, dtype=np.uint32)
        place_of[rows] = np.arange(len(rows), dtype=np.uint32)
        return values, place_of


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
