"""The statement as JSON: days → sides → lines, amounts in minor units."""

import json
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Any

from reconcile.matching.statement import Line, StatementDay


def dump(days: Sequence[StatementDay], file: Path) -> None:
    """Write the days as a JSON list, in their order."""
    file.write_text(json.dumps([as_json(day) for day in days], indent=1) + "\n", encoding="utf-8")


def load(file: Path) -> tuple[StatementDay, ...]:
    """The days that `dump` wrote."""
    return tuple(_from_json(day) for day in json.loads(file.read_text(encoding="utf-8")))


def changed(before: Sequence[StatementDay], after: Sequence[StatementDay]) -> tuple[StatementDay, ...]:
    """The days of `after` that differ from those of `before`."""
    known = {(day.asset, day.day): day for day in before}
    return tuple(day for day in after if known.get((day.asset, day.day)) != day)


def as_json(day: StatementDay) -> dict[str, Any]:
    """One day as JSON values: ISO date, `{"rows", "minor"}` for every line of every side."""
    return {
        "flow": day.flow,
        "asset": day.asset,
        "day": day.day.isoformat(),
        "verdict": day.verdict,
        "opening": _line(day.opening),
        "sides": {side: {name: _line(line) for name, line in lines.items()} for side, lines in day.lines.items()},
        "closing": _line(day.closing),
        "unexplained_minor": 0,
    }


def _line(line: Line) -> dict[str, int]:
    return {"rows": line.rows, "minor": line.minor}


def _from_json(content: dict[str, Any]) -> StatementDay:
    return StatementDay(
        flow=content["flow"],
        asset=content["asset"],
        day=date.fromisoformat(content["day"]),
        lines={side: {name: Line(**line) for name, line in lines.items()} for side, lines in content["sides"].items()},
        opening=Line(**content["opening"]),
        closing=Line(**content["closing"]),
        verdict=content["verdict"],
    )
