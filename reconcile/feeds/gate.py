"""The gate: what every row, and every delivery as a whole, is expected to be, by Great Expectations.

The suites are plain GX JSON under `expectations/`. Each expectation carries in its `meta` a name, why it is there, and what
a failing row means.
"""

import json
import logging
import threading
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

import pandas as pd

from reconcile import resources

SUITES: Final = ("confirmations", "ledger", "payments", "directory", "delivery", "fold")
_RESULT: Final = {"result_format": "COMPLETE", "include_unexpected_rows": False}
# Great Expectations keeps the rows under examination in its context, of which a process has one.
_one_at_a_time: Final = threading.Lock()


@dataclass(frozen=True, slots=True)
class Failure:
    """An expectation that did not hold. `rows`: the index of each row that broke it, in the frame that was examined."""

    name: str
    column: str
    meaning: str
    rows: Sequence[Any]


@cache
def suite(name: str) -> Any:
    """One suite as Great Expectations knows it."""
    gx = _library()
    content = json.loads(resources.text(f"expectations/{name}.json"))
    return gx.ExpectationSuite(name=content["name"], expectations=content["expectations"], meta=content["meta"])


def examine(name: str, frame: pd.DataFrame, parameters: Mapping[str, Any] | None = None) -> list[Failure]:
    """Which expectations of a suite do not hold for the rows of `frame`, and in which rows.

    `parameters` are what the suite calls `$PARAMETER`. An expectation that cannot be evaluated is an error of the suite, not
    of the rows: it raises `RuntimeError`.
    """
    with _one_at_a_time:
        batch = _whole_frame().get_batch(batch_parameters={"dataframe": frame})
        outcome = batch.validate(suite(name), result_format=_RESULT, expectation_parameters=dict(parameters or {}))
    return [_failure(name, result) for result in outcome.results if not result.success]


def _failure(suite_name: str, result: Any) -> Failure:
    config = result.expectation_config
    if result.exception_info.get("raised_exception", True):
        raise RuntimeError(f"expectations/{suite_name}.json: {config.meta['name']} cannot be evaluated on this batch")
    rows = result.result["unexpected_index_list"]
    # A list that was cut short would publish bad rows without a word.
    assert len(rows) == result.result["unexpected_count"], f"{config.meta['name']}: not all failing rows are listed"
    column = config.kwargs.get("column") or config.kwargs["column_A"]
    return Failure(config.meta["name"], column, config.meta["failing_row"], rows)


@cache
def _whole_frame() -> Any:
    """The one batch definition through which every frame is examined; building it takes longer than using it."""
    context = _library().get_context(mode="ephemeral")
    context.variables.progress_bars = {"globally": False}
    context.variables.analytics_enabled = False  # usage statistics go to a host of somebody else's
    source = context.data_sources.add_pandas("rows")
    return source.add_dataframe_asset("rows").add_batch_definition_whole_dataframe("all")


@cache
def _library() -> Any:
    with warnings.catch_warnings():
        # It imports what Python has deprecated; where warnings are errors it could not be loaded.
        warnings.simplefilter("ignore", DeprecationWarning)
        import great_expectations
    # It gives this one a level of its own, and tells of every temporary folder.
    logging.getLogger("great_expectations.data_context.types.base").setLevel(logging.NOTSET)
    return great_expectations
