"""What the design asks for, beside what was measured."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

Results = Mapping[str, Mapping[str, Any]]
"""Part → its result, for the parts that have one."""


@dataclass(frozen=True, slots=True)
class Target:
    """`limit` is to be kept, `aim` would be better. `more_is_better`: the figure is a rate."""

    what: str
    limit: float
    aim: float | None
    unit: str
    figure: Callable[[Results], float | None]
    more_is_better: bool = False

    def verdict(self, figure: float) -> str:
        if self._keeps(figure, self.limit):
            return "aim reached" if self.aim is not None and self._keeps(figure, self.aim) else "reached"
        return "**not reached**"

    def _keeps(self, figure: float, bound: float) -> bool:
        return figure >= bound if self.more_is_better else figure <= bound


def _row(results: Results, part: str, **wanted: object) -> Mapping[str, Any] | None:
    rows: Sequence[Mapping[str, Any]] = results.get(part, {}).get("rows", [])
    return next((row for row in rows if "failed" not in row and wanted.items() <= row.items()), None)


def _times_raw(job: str) -> Callable[[Results], float | None]:
    def figure(results: Results) -> float | None:
        raw = _row(results, "match", job="raw-join", rows=10_000_000)
        own = _row(results, "match", job=job, rows=10_000_000)
        return own["seconds"] / raw["seconds"] if raw and own else None

    return figure


def _peak_gigabytes(part: str, job: str, **wanted: object) -> Callable[[Results], float | None]:
    def figure(results: Results) -> float | None:
        row = _row(results, part, job=job, **wanted)
        return row["peak_bytes"] / 1e9 if row else None

    return figure


def _rate(results: Results) -> float | None:
    row = _row(results, "parse", mix="of one operator", processes=2)
    return row["rate"] if row else None


def _five_minutes(days: int) -> Callable[[Results], float | None]:
    def figure(results: Results) -> float | None:
        row = _row(results, "history", days=days, rows_a_day=10_000_000)
        return row["seconds"] if row else None

    return figure


def _grown(days: int, since: int) -> Callable[[Results], float | None]:
    def figure(results: Results) -> float | None:
        after = _row(results, "history", days=days)
        before = _row(results, "history", days=since, rows_a_day=after["rows_a_day"]) if after else None
        return after["seconds"] / before["seconds"] if before and after else None

    return figure


TARGETS: Final = (
    Target("10 M published, beside the bare join", 2.5, 1.5, "x", _times_raw("published")),
    Target("10 M foreign, beside the bare join", 4.0, 2.5, "x", _times_raw("foreign")),
    Target("memory, 10 M published", 3.0, None, "GB", _peak_gigabytes("match", "published", rows=10_000_000)),
    Target("memory, 10 M foreign", 3.0, None, "GB", _peak_gigabytes("match", "foreign", rows=10_000_000)),
    Target("memory, 50 M published", 8.0, None, "GB", _peak_gigabytes("growth", "published", rows=50_000_000)),
    Target("memory, 50 M foreign", 8.0, None, "GB", _peak_gigabytes("growth", "foreign", rows=50_000_000)),
    Target("a five-minute run at 10 M a day, one day of history", 0.5, None, "s", _five_minutes(1)),
    Target("a five-minute run at 10 M a day, 7 days of history", 0.5, None, "s", _five_minutes(7)),
    Target("a five-minute run, from one day of history to 7", 1.5, None, "x", _grown(7, 1)),
    Target("a five-minute run, from 7 days of history to 90 (flat: a tenth is noise)", 1.1, None, "x", _grown(90, 7)),
    Target("messages a second, two processes, one operator", 50_000, 200_000, "", _rate, more_is_better=True),
)
