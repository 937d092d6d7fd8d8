"""Charts as small SVG texts: no script, no inline style, readable without colour and by a screen reader."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from html import escape
from typing import Final

from reconcile.reports.formats import Formats

_WIDTH: Final = 960
_HEIGHT: Final = 300
_LEFT: Final = 52
_RIGHT: Final = 28
"""Half a time of day, which may stand below the last moment."""
_TOP: Final = 16
_BOTTOM: Final = 34
_STRIP: Final = 74
"""Height of the bars below a chart: what comes in bursts would flatten the lines above it."""
_TICKS_X_MAX: Final = 8
_TICKS_Y: Final = 4
_STEPS_MINUTES: Final = (1, 2, 5, 10, 15, 30, 60, 120, 180, 360, 720, 1440)


@dataclass(frozen=True, slots=True)
class Series:
    """One line: its name in the legend, its class in the style sheet, and one value per moment."""

    name: str
    style: str
    values: list[int]

    @property
    def total(self) -> int:
        return sum(self.values)


@dataclass(frozen=True, slots=True)
class Chart:
    """A drawn chart: `svg` is safe to put into a page as it is; `series` feed the legend beside it."""

    svg: str
    title: str
    series: list[Series]


def line_chart(
    moments: Sequence[datetime],
    series: Sequence[Series],
    *,
    formats: Formats,
    title: str,
    marked: tuple[datetime | None, datetime | None] = (None, None),
    below: Series | None = None,
) -> Chart:
    """Lines over equally spaced moments; the time between the two `marked` ones is shaded (to the end when open).

    `below` is drawn as bars with a scale of its own.
    """
    shown = [*series, *([below] if below else [])]
    assert all(len(one.values) == len(moments) for one in shown), "one value for each moment"
    top = _round_up(max((max(one.values, default=0) for one in series), default=0))
    scale = _Scale(len(moments), top)
    parts = [
        f'<svg class="chart" viewBox="0 0 {_WIDTH} {_HEIGHT + (_STRIP if below else 0)}" role="img"',
        ' xmlns="http://www.w3.org/2000/svg">',
        f"<title>{escape(title)}</title>",
        *_shade(moments, marked, scale),
        *_grid(top, scale, formats),
        *_time_axis(moments, scale, formats),
        *(_line(one, scale) for one in series),
        *(_bars(below, scale, formats) if below else ()),
        "</svg>",
    ]
    return Chart("".join(parts), title, shown)


class _Scale:
    def __init__(self, count: int, top: int) -> None:
        self._step = (_WIDTH - _LEFT - _RIGHT) / max(1, count - 1)
        self._top = top

    def x(self, position: float) -> float:
        return _LEFT + position * self._step

    def y(self, value: float) -> float:
        return _HEIGHT - _BOTTOM - value / self._top * (_HEIGHT - _TOP - _BOTTOM)


def _line(one: Series, scale: _Scale) -> str:
    points = " ".join(f"{scale.x(number):.1f},{scale.y(value):.1f}" for number, value in enumerate(one.values))
    return f'<polyline class="line {escape(one.style)}" points="{points}"/>'


def _bars(one: Series, scale: _Scale, formats: Formats) -> list[str]:
    foot, height = _HEIGHT + _STRIP - 12, _STRIP - 34
    most = max(one.values, default=0) or 1
    parts = [f'<line class="grid" x1="{_LEFT}" x2="{_WIDTH - _RIGHT}" y1="{foot}" y2="{foot}"/>']
    for number, value in enumerate(one.values):
        if value:
            length = max(2.0, value / most * height)
            parts.append(
                f'<rect class="bar {escape(one.style)}" x="{scale.x(number) - 2:.1f}" y="{foot - length:.1f}" width="4" '
                f'height="{length:.1f}"/>'
            )
            if value == most:
                parts.append(
                    f'<text class="tick" x="{scale.x(number):.1f}" y="{foot - length - 5:.1f}" text-anchor="middle">'
                    f"{escape(formats.count(value))}</text>"
                )
    return parts


def _grid(top: int, scale: _Scale, formats: Formats) -> list[str]:
    parts = []
    for tick in range(_TICKS_Y + 1):
        value = top * tick // _TICKS_Y
        y = scale.y(value)
        parts += [
            f'<line class="grid" x1="{_LEFT}" x2="{_WIDTH - _RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>',
            f'<text class="tick" x="{_LEFT - 8}" y="{y + 4:.1f}" text-anchor="end">{escape(formats.count(value))}</text>',
        ]
    return parts


def _time_axis(moments: Sequence[datetime], scale: _Scale, formats: Formats) -> list[str]:
    if not moments:
        return []
    span_minutes = max(1, int((moments[-1] - moments[0]).total_seconds() // 60))
    step = next((step for step in _STEPS_MINUTES if span_minutes / step <= _TICKS_X_MAX), _STEPS_MINUTES[-1])
    parts = []
    for number, moment in enumerate(moments):
        local = moment.astimezone(formats.zone)
        if (local.hour * 60 + local.minute) % step == 0:
            parts.append(
                f'<text class="tick" x="{scale.x(number):.1f}" y="{_HEIGHT - 10}" text-anchor="middle">'
                f"{escape(formats.clock(moment))}</text>"
            )
    return parts


def _shade(moments: Sequence[datetime], marked: tuple[datetime | None, datetime | None], scale: _Scale) -> list[str]:
    begin, end = marked
    if begin is None or len(moments) < 2:
        return []
    step = moments[1] - moments[0]

    def position(moment: datetime) -> float:
        return min(max((moment - moments[0]) / step, 0), len(moments) - 1)

    left, right = scale.x(position(begin)), scale.x(position(end or moments[-1] + timedelta(days=1)))
    width = max(1.0, right - left)
    return [f'<rect class="shade" x="{left:.1f}" y="{_TOP}" width="{width:.1f}" height="{_HEIGHT - _TOP - _BOTTOM}"/>']


def _round_up(value: int) -> int:
    """The next number that four ticks divide into round ones."""
    size = 4
    while True:
        for factor in (1, 2, 3, 5):
            if value <= size * factor:
                return size * factor
        size *= 10
