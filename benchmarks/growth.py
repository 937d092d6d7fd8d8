"""Seconds and memory by the number of rows, and a picture of it."""

from collections.abc import Sequence
from html import escape
from math import log10
from pathlib import Path
from typing import Any, Final

from benchmarks import running

JOBS: Final = ("raw-join", "published", "foreign")
_COLOURS: Final = {"raw-join": "#6b7280", "published": "#0f766e", "foreign": "#b45309"}
_NAMES: Final = {"raw-join": "DuckDB, bare join", "published": "published batches", "foreign": "foreign files"}
_WIDTH: Final = 720
_HEIGHT: Final = 400
_LEFT: Final = 64
_RIGHT: Final = 160
_TOP: Final = 24
_BOTTOM: Final = 48
_NAME_HEIGHT: Final = 16


def measure(
    folder: Path, *, sizes: Sequence[int], runs: int, seed: int, memory_limit: str | None
) -> list[dict[str, Any]]:
    rows = []
    for size in sorted(sizes):
        day = running.make_day(folder, size, seed)
        rows += [{"rows": size, **row} for row in running.measure(JOBS, day, runs, memory_limit)]
    return rows


def picture(rows: Sequence[dict[str, Any]]) -> str:
    """Both axes logarithmic, so that a line of slope one is growth in proportion."""
    shown = [row for row in rows if "failed" not in row]
    sizes = sorted({row["rows"] for row in shown})
    scale = _Scale(sizes, [row["seconds"] for row in shown])
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" font-family="sans-serif" font-size="13">',
        "<title>Seconds by millions of purchases, both logarithmic</title>",
        f'<rect width="{_WIDTH}" height="{_HEIGHT}" fill="#ffffff"/>',
        *_axes(sizes, scale),
    ]
    lines = {
        job: [(scale.x(row["rows"]), scale.y(row["seconds"])) for row in shown if row["job"] == job] for job in JOBS
    }
    named_at = -float(_NAME_HEIGHT)
    for job, points in sorted(lines.items(), key=lambda line: line[1][-1][1] if line[1] else 0):
        if points:
            named_at = max(points[-1][1], named_at + _NAME_HEIGHT)  # lines may end at one place, their names may not
            parts += _line(points, _COLOURS[job], _NAMES[job], named_at)
    return "\n".join([*parts, "</svg>", ""])


class _Scale:
    """Rows and seconds to places; the axis of seconds goes from one power of ten to another."""

    def __init__(self, sizes: Sequence[int], seconds: Sequence[float]) -> None:
        self._first, self._last = log10(sizes[0]), log10(sizes[-1])
        self.low, self.high = int(log10(min(seconds)) // 1), int(log10(max(seconds)) // 1) + 1

    def x(self, rows: float) -> float:
        share = (log10(rows) - self._first) / ((self._last - self._first) or 1)
        return _LEFT + share * (_WIDTH - _LEFT - _RIGHT)

    def y(self, seconds: float) -> float:
        share = (log10(seconds) - self.low) / (self.high - self.low)
        return _HEIGHT - _BOTTOM - share * (_HEIGHT - _TOP - _BOTTOM)


def _axes(sizes: Sequence[int], scale: _Scale) -> list[str]:
    parts = []
    for power in range(scale.low, scale.high + 1):
        y = scale.y(10.0**power)
        parts += [
            f'<line x1="{_LEFT}" x2="{_WIDTH - _RIGHT}" y1="{y:.1f}" y2="{y:.1f}" stroke="#d1d5db"/>',
            f'<text x="{_LEFT - 8}" y="{y + 4:.1f}" text-anchor="end" fill="#374151">{10.0**power:g} s</text>',
        ]
    for size in sizes:
        x = scale.x(size)
        parts.append(
            f'<text x="{x:.1f}" y="{_HEIGHT - _BOTTOM + 20}" text-anchor="middle" fill="#374151">{size / 1e6:g} M</text>'
        )
    return parts


def _line(points: Sequence[tuple[float, float]], colour: str, name: str, named_at: float) -> list[str]:
    path = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    last_x, _ = points[-1]
    return [
        f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2"/>',
        *(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3.5" fill="{colour}"/>' for x, y in points),
        f'<text x="{last_x + 10:.1f}" y="{named_at + 4:.1f}" fill="{colour}">{escape(name)}</text>',
    ]
