import numpy as np
import pyarrow as pa
import pytest

from reconcile.matching.row_columns import column


@pytest.mark.parametrize(
    "arriving", [[[0, 1], [2], [3, 4]], [[0, 1], [4], [3, 2]], [[4, 2], [0], [1]]], ids=["in order", "not", "with gaps"]
)
@pytest.mark.parametrize("kind", [pa.string(), pa.int64()], ids=str)
def test_a_value_is_found_by_the_number_of_its_row_in_whatever_order_these_come(
    kind: pa.DataType, arriving: list[list[int]]
) -> None:
    values = column(kind, 5)
    for rows in arriving:
        batch = pa.table({"value": pa.array([-1, *rows]).cast(kind)})
        values.add(batch.column("value").combine_chunks().slice(1), np.array(rows, np.uint64))
    wanted = sorted((row for rows in arriving for row in rows), key=lambda row: row * 3 % 5)
    assert [int(value) for value in values.take(np.array(wanted, np.uint32)).to_pylist()] == wanted
