"""Rows and files as parcels.

Rows travel as Parquet files that hold one bucket's rows of one piece. A cluster that moves rows one by one spends most of its
time on turning columns into rows and back; one that moves a few files does not, and no type is lost on the way.
"""

import io
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from reconcile.matching.cluster import Parcel
from reconcile.matching.session import literal

CHUNK_BYTES: Final = 16 << 20
"""Results travel in chunks of this size: a cluster may refuse a single value of more than 2 GiB."""


def packed(
    name: str, number: int, table: Any, places: npt.NDArray[np.uint64], always: Collection[int] = ()
) -> Iterator[Parcel]:
    """The rows of a table as one parcel for each bucket that `places` names (row by row), and for those of `always`."""
    order = np.argsort(places, kind="stable")
    table = table.take(pa.array(order))
    buckets, starts = np.unique(places[order], return_index=True)
    ends = [*starts[1:], len(order)]
    slices = {int(bucket): (start, end) for bucket, start, end in zip(buckets, starts, ends, strict=True)}
    for bucket in sorted({*slices, *always}):
        start, end = slices.get(bucket, (0, 0))
        sink = io.BytesIO()
        pq.write_table(table.slice(start, end - start), sink, compression="lz4", write_statistics=False)
        yield Parcel(bucket, name, number, sink.getvalue())


def unpacked(parcel: Parcel) -> Any:
    """The rows of one parcel, as a table."""
    return pq.read_table(io.BytesIO(parcel.content))


def landed(arrived: Iterator[Parcel], folder: Path) -> tuple[int, dict[str, list[str]]]:
    """Writes parcels of rows as files below `folder`: their bucket, and name → files in the order of their numbers."""
    bucket, files = 0, dict[str, list[tuple[int, str]]]()
    for parcel in arrived:
        file = folder / f"{parcel.name}-{parcel.number}.parquet"
        file.write_bytes(parcel.content)
        files.setdefault(parcel.name, []).append((parcel.number, str(file)))
        bucket = parcel.bucket
    return bucket, {name: [file for _, file in sorted(found)] for name, found in files.items()}


def of_file(bucket: int, name: str, file: Path) -> Iterator[Parcel]:
    """A file of any size as parcels, in order."""
    with file.open("rb") as opened:
        number = 0
        while content := opened.read(CHUNK_BYTES):
            yield Parcel(bucket, name, number, content)
            number += 1


def put_together(arrived: Iterator[Parcel], folder: Path) -> dict[str, list[str]]:
    """Files that were sent with `of_file`, written below `folder`: name → one file for each bucket, in the order of the buckets."""
    files: dict[str, dict[int, Path]] = {}
    for parcel in arrived:
        file = folder / f"{parcel.name}-{parcel.bucket}.parquet"
        with file.open("ab") as opened:
            opened.write(parcel.content)
        files.setdefault(parcel.name, {})[parcel.bucket] = file
    return {name: [str(of_bucket[bucket]) for bucket in sorted(of_bucket)] for name, of_bucket in files.items()}


def scan(files: list[str]) -> str:
    """SQL that reads the rows of files in their order."""
    return f"read_parquet([{', '.join(map(literal, files))}])"
