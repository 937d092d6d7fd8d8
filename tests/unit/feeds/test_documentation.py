import json
from pathlib import Path

import pytest

from reconcile import resources
from reconcile.feeds import gate
from reconcile.feeds.limits import CHUNK_ROWS, DEFAULT_LIMITS, DELIVERIES_PER_RUN

PAGE = (Path(__file__).parents[3] / "docs" / "feeds.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("suite", gate.SUITES)
def test_each_expectation_is_documented_in_its_own_words(suite):
    for expectation in json.loads(resources.text(f"expectations/{suite}.json"))["expectations"]:
        meta = expectation["meta"]
        assert f"| `{meta['name']}` | {meta['failing_row']} | {meta['why']} |" in PAGE


def test_the_limits_that_are_documented_are_those_that_hold():
    gibibyte = 2**30
    for said in (
        f"{DEFAULT_LIMITS.file_bytes // gibibyte} GiB packed",
        f"{DEFAULT_LIMITS.unpacked_bytes // gibibyte} GiB unpacked",
        f"{DEFAULT_LIMITS.expansion} times its size once past {DEFAULT_LIMITS.expansion_from_bytes >> 20} MiB",
        f"| a row | {DEFAULT_LIMITS.row_bytes >> 10} KiB |",
        f"| a control file | {DEFAULT_LIMITS.control_bytes >> 10} KiB |",
        f"{DEFAULT_LIMITS.rows:,} and {DEFAULT_LIMITS.columns}",
        f"More than {DEFAULT_LIMITS.quarantined_rows:,} are refused",
        f"{DELIVERIES_PER_RUN:,}; the rest waits",
        f"in parts of {CHUNK_ROWS:,} rows",
    ):
        assert said in PAGE
