"""The figures as Prometheus scrapes them: its text format, 0.0.4."""

import re
from collections.abc import Iterable, Mapping
from itertools import groupby
from typing import Final

from reconcile.metrics.catalogue import PREFIX, Metric
from reconcile.metrics.reading import Point

CONTENT_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"


def exposition(points: Iterable[Point]) -> str:
    """All points, the series of one metric together."""
    lines: list[str] = []
    for name, group in groupby(points, key=lambda point: name_of(point.metric)):
        series = list(group)
        metric = series[0].metric
        lines += [f"# HELP {name} {_escaped(metric.description)}", f"# TYPE {name} {metric.kind}"]
        lines += [f"{name}{_labels(point.attributes)} {point.value}" for point in series]
    return "".join(f"{line}\n" for line in lines)


def name_of(metric: Metric) -> str:
    """Its name as OpenTelemetry translates it: dots become underlines, seconds and counters are named at the end."""
    name = _plain(f"{PREFIX}{metric.name}")
    name += "_seconds" if metric.unit == "s" else ""
    return f"{name}_total" if metric.kind == "counter" else name


def _labels(attributes: Mapping[str, str]) -> str:
    return "{" + ",".join(f'{_plain(name)}="{_escaped(value)}"' for name, value in attributes.items()) + "}"


def _plain(name: str) -> str:
    return re.sub(r"[^a-z0-9_]", "_", name)


def _escaped(text: str) -> str:
    return text.replace("\\", r"\\").replace("\n", r"\n").replace('"', r"\"")
