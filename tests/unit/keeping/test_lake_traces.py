"""What a file of the lake says of a number."""

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from reconcile.keeping import lake_traces

NUMBER, OTHER = "+2250707123456", "+2250101010101"


@pytest.mark.parametrize(
    ("columns", "matched"),
    [
        ({"account": [OTHER, NUMBER], "match_key": ["k", "l"]}, True),
        ({"account": [None, NUMBER], "match_key": [None, None]}, True),
        ({"account": [OTHER], "payer": [NUMBER], "match_key": ["k"]}, False),
        ({"account": [NUMBER], "kind": ["orphan_credit"]}, False),
    ],
)
def test_only_rows_of_the_accounts_own_keys_may_be_met_again(tmp_path, columns, matched):
    pq.write_table(pa.table(columns), tmp_path / "rows.parquet")
    assert lake_traces.is_matched(tmp_path / "rows.parquet", NUMBER) is matched
