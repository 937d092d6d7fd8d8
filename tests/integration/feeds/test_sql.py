"""A ledger that is a table in somebody's PostgreSQL."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

from .charging import keys


def test_rows_of_a_table_are_published_and_the_watermark_is_the_databases_clock_less_the_lag(reader, charging):
    operator = reader()
    charging.post("E1", "E2", amount=Decimal("1050.00"))
    charging.post("E3", type="BONUS")
    before = charging.clock()
    operator.at(datetime.now(UTC) + timedelta(hours=1))
    assert len(operator.take("ocs")) == 1
    assert sorted(keys(operator)) == ["E1", "E2"]
    assert before <= operator.watermark("ocs") + timedelta(seconds=1) <= charging.clock()
    (feed,) = operator.query("select grade from feeds")
    assert feed["grade"] == "proven"


def test_a_second_read_publishes_nothing_twice(reader, charging):
    operator = reader()
    charging.post("E1")
    operator.take("ocs")
    charging.post("E2")
    operator.take("ocs")
    assert keys(operator) == ["E1", "E2"]
    assert [batch["duplicate_rows"] for batch in operator.query("select * from batches order by landed_at")] == [0, 1]
