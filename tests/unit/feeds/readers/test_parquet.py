from datetime import UTC, datetime
from decimal import Decimal

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from reconcile.feeds.limits import DEFAULT_LIMITS, Limits
from reconcile.feeds.readers.parquet import read_parquet
from reconcile.feeds.refusal import Refused


def read(path, values, limits=DEFAULT_LIMITS):
    pq.write_table(pa.table({"v": values}), path)
    return list(read_parquet(path, {"value": "v"}, limits))


NOON = datetime(2024, 7, 9, 12)  # noqa: DTZ001 - local, as some files have it


@pytest.mark.parametrize(
    ("values", "text"),
    [
        (pa.array(["a "]), "a"),
        (pa.array([""]), None),
        (pa.array([None], pa.string()), None),
        (pa.array([1050], pa.int32()), "1050"),
        (pa.array([Decimal("12.50")], pa.decimal128(12, 2)), "12.50"),
        (pa.array([Decimal("1E+3")], pa.decimal128(12, 0)), "1000"),
        (pa.array([True]), "true"),
        (pa.array([NOON], pa.timestamp("ms")), "2024-07-09T12:00:00"),
        (pa.array([NOON.replace(tzinfo=UTC)], pa.timestamp("us", tz="UTC")), "2024-07-09T12:00:00+00:00"),
        (pa.array(["x"]).dictionary_encode(), "x"),
    ],
)
def test_a_value_is_its_exact_text(tmp_path, values, text):
    (row,) = read(tmp_path / "a.parquet", values)
    assert row.cells == {"value": text}
    assert row.number == 1


@pytest.mark.parametrize("values", [pa.array([1.5]), pa.array([[1]]), pa.array([b"x"])])
def test_a_type_without_exact_text_is_refused(tmp_path, values):
    with pytest.raises(Refused, match="which has no exact text"):
        read(tmp_path / "a.parquet", values)


def test_a_file_that_is_too_large_is_refused_before_it_is_read(tmp_path):
    with pytest.raises(Refused, match="has 3 rows, more than the 2"):
        read(tmp_path / "a.parquet", pa.array(["x"] * 3), Limits(rows=2))
    with pytest.raises(Refused, match="unpacks to more than 1000 bytes"):
        read(tmp_path / "a.parquet", pa.array([str(number) for number in range(999)]), Limits(unpacked_bytes=1000))


def test_a_text_with_a_nul_has_a_problem(tmp_path):
    (row,) = read(tmp_path / "a.parquet", pa.array(["a\0b"]))
    assert row.problem == "holds characters that are no text"
