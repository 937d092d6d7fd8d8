"""Every metric: what it is called, what it counts, and which query gives it. `docs/metrics.md` says what to do about each."""

from dataclasses import dataclass
from typing import Final, Literal

PREFIX: Final = "reconcile."
"""Of metrics and of their attributes, so that they meet nobody else's."""


@dataclass(frozen=True, slots=True)
class Metric:
    """One metric. `query` is a file of `sql/metrics/`, `column` the one of its columns that holds the value.

    `attributes`: the columns that tell its series apart; `fixed`: attributes that are the same in all of them.
    """

    name: str
    kind: Literal["gauge", "counter"]
    unit: str
    query: str
    column: str
    attributes: tuple[str, ...]
    description: str
    fixed: tuple[tuple[str, str], ...] = ()
    only: tuple[tuple[str, tuple[str, ...]], ...] = ()
    """Column → the values that count; other rows of the query are left out."""


_FEED: Final = ("flow", "feed")
_MONEY: Final = "{minor_unit}"


def _rows(fate: str) -> Metric:
    return Metric(
        "feed.rows", "gauge", "{row}", "batches", f"{fate}_rows", _FEED, "Rows of published batches, by their fate.",
        fixed=(("fate", fate),), only=(("status", ("published",)),),
    )  # fmt: skip


def _runs(outcome: str) -> Metric:
    return Metric(
        "job.runs", "counter", "{run}", "jobs", outcome, ("job", "subject"), "Runs of a job that have ended.",
        fixed=(("outcome", outcome),),
    )  # fmt: skip


METRICS: Final[tuple[Metric, ...]] = (
    Metric(
        "feed.watermark.age", "gauge", "s", "feeds", "watermark_age_seconds", (*_FEED, "side"),
        "How long ago the instant was up to which a feed is complete.",
    ),
    Metric("feed.quarantine.held", "gauge", "{row}", "feeds", "held_rows", (*_FEED, "side"), "Rows held in quarantine."),
    Metric("feed.batches", "gauge", "{batch}", "batches", "batch_count", (*_FEED, "status"), "Batches, by how they stand."),
    *map(_rows, ("published", "quarantined", "duplicate", "out_of_scope")),
    Metric("breaks.open", "gauge", "{break}", "breaks", "break_count", ("flow", "kind", "asset"), "Open breaks."),
    Metric(
        "money.at_risk", "gauge", _MONEY, "breaks", "at_risk_minor", ("flow", "kind", "asset"),
        "Money owed to customers in open breaks.",
    ),
    Metric(
        "money.put_right", "gauge", _MONEY, "intents", "amount_minor", ("flow", "status", "asset"),
        "Money that was re-credited: by the gateway's word, or seen on the ledger.",
        only=(("status", ("credited", "verified")),),
    ),
    Metric("cases", "gauge", "{case}", "cases", "case_count", ("flow", "status"), "Cases, by how they stand."),
    Metric(
        "intents", "gauge", "{intent}", "intents", "intent_count", ("flow", "status", "asset"),
        "Decisions to pay, by how they stand.",
    ),
    Metric(
        "attempts", "gauge", "{attempt}", "attempts", "attempt_count", ("flow", "status"),
        "Calls to the gateway that are not confirmed, by how they stand.",
    ),
    Metric(
        "attempts.oldest.age", "gauge", "s", "attempts", "oldest_age_seconds", ("flow", "status"),
        "How long ago the oldest call to the gateway that stands so was sent.",
        only=(("status", ("sending", "accepted", "unknown")),),
    ),
    Metric(
        "notices", "gauge", "{notice}", "notices", "notice_count", ("flow", "channel", "status"),
        "Notices planned in the last 24 hours, by how they stand.",
    ),
    Metric("outbox.notices", "gauge", "{notice}", "outbox", "waiting_count", ("flow", "channel"), "Notices that wait."),
    Metric(
        "outbox.oldest.age", "gauge", "s", "outbox", "oldest_age_seconds", ("flow", "channel"),
        "How long the oldest notice has waited.",
    ),
    Metric(
        "promises", "gauge", "{promise}", "promises", "promise_count", ("flow", "state"),
        "Promises that run, whose time has passed, and that were broken in the last 24 hours.",
    ),
    Metric("flow.mode", "gauge", "1", "flows", "one", ("flow", "mode"), "1 for the mode that a flow is in."),
    Metric("flow.breaker.open", "gauge", "1", "flows", "breaker_open", ("flow",), "1 while nothing is paid."),
    Metric("flow.incidents.open", "gauge", "{incident}", "flows", "incident_count", ("flow",), "Incidents not closed."),
    Metric("flow.run.age", "gauge", "s", "flows", "run_age_seconds", ("flow",), "Time since the newest run of the fold."),
    *map(_runs, ("succeeded", "failed")),
    Metric("job.time", "counter", "s", "jobs", "seconds", ("job", "subject"), "Time that the runs of a job took together."),
    Metric(
        "job.success.age", "gauge", "s", "jobs", "success_age_seconds", ("job", "subject"),
        "How long ago a job last ended well.",
    ),
)  # fmt: skip
