"""Results as Markdown: what the command prints, and what stands between the markers of docs/benchmarks.md."""

import re
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from benchmarks.growth import picture
from benchmarks.targets import TARGETS, Results

_GIGABYTE: Final = 1e9
_STEPS_SHOWN: Final = 8

Row = Mapping[str, Any]


def table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """All columns but the first are numbers, or nearly."""
    rule = ["---", *["---:"] * (len(heads) - 1)]
    return "\n".join("| " + " | ".join(cells) + " |" for cells in (heads, rule, *rows)) + "\n"


def match(result: Row) -> str:
    raw = next(row for row in result["rows"] if row["job"] == "raw-join")
    heads = ["job", "s", "x join", "CPU s", "x join", "peak GB", "missed", "invented", "paid twice", "runs"]
    rows = []
    for row in result["rows"]:
        if "failed" in row:
            rows.append([row["title"], f"failed: {row['failed']}", *[""] * (len(heads) - 2)])
            continue
        loading = f" (+ {_seconds(row['loading_seconds'])} COPY)" if row["loading_seconds"] else ""
        rows.append(
            [
                row["title"],
                _seconds(row["seconds"]) + loading,
                _times("seconds", row, raw),
                _seconds(row["cpu_seconds"]),
                _times("cpu_seconds", row, raw),
                f"{row['peak_bytes'] / _GIGABYTE:.2f}",
                f"{row['missed']:,.0f}",
                f"{row['invented']:,.0f}",
                f"{row['paid_twice']:,.0f}",
                f"{row['runs']}",
            ]
        )
    return _head(result) + table(heads, rows) + "\n" + _where(result["rows"], ("published", "foreign"))


def growth(result: Row) -> str:
    heads = ["purchases", "job", "s", "x join", "CPU s", "x join", "peak GB", "spilled GB", "wrong", "runs"]
    raws = {row["rows"]: row for row in result["rows"] if row["job"] == "raw-join"}
    rows = []
    for row in result["rows"]:
        size = f"{row['rows'] / 1e6:g} M"
        if "failed" in row:
            rows.append([size, row["title"], f"failed: {row['failed']}", *[""] * (len(heads) - 3)])
            continue
        rows.append(
            [
                size,
                row["title"],
                _seconds(row["seconds"]),
                _times("seconds", row, raws[row["rows"]]),
                _seconds(row["cpu_seconds"]),
                _times("cpu_seconds", row, raws[row["rows"]]),
                f"{row['peak_bytes'] / _GIGABYTE:.2f}",
                f"{row['spilled_bytes'] / _GIGABYTE:.2f}",
                f"{row['missed'] + row['invented'] + row['short']:,.0f}",
                f"{row['runs']}",
            ]
        )
    most = max(raws, default=0)
    largest = [{**row, "title": f"{most / 1e6:g} M, {row['title']}"} for row in result["rows"] if row["rows"] == most]
    return _head(result) + table(heads, rows) + "\n" + _where(largest, ())


def history(result: Row) -> str:
    heads = [
        "days of history",
        "purchases a day",
        "median s",
        "worst s",
        "CPU s",
        "peak GB",
        "read MB",
        "files",
        "wrong",
        "runs",
    ]
    rows = [
        [
            f"{row['days']}",
            f"{row['rows_a_day']:,}",
            f"{row['seconds']:.3f}",
            f"{row['worst_seconds']:.3f}",
            f"{row['cpu_seconds']:.2f}",
            f"{row['peak_bytes'] / _GIGABYTE:.2f}",
            f"{row['read_bytes'] / 1e6:.1f}",
            f"{row['files']:.0f}",
            f"{row['wrong']}",
            f"{row['runs']}",
        ]
        for row in result["rows"]
    ]
    titled = [{**row, "title": f"history of {row['days']} days"} for row in result["rows"]]
    return _head(result) + table(heads, rows) + "\n" + _where(titled, ())


def parse(result: Row) -> str:
    heads = ["messages", "processes", "a second", "s", "CPU s", "µs CPU each", "right", "abstained", "wrong"]
    rows = [
        [
            f"{row['messages']:,} {row['mix']}",
            f"{row['processes']}",
            f"{row['rate']:,.0f}",
            _seconds(row["seconds"]),
            _seconds(row["cpu_seconds"]),
            f"{row['cpu_seconds'] / row['messages'] * 1e6:.1f}",
            f"{row['right']:,}",
            f"{row['abstained']:,}",
            f"{row['wrong_amounts'] + row['wrong_references']:,}",
        ]
        for row in result["rows"]
    ]
    return _head(result) + table(heads, rows)


def gate(result: Row) -> str:
    heads = ["delivery", "rows", "rows a second", "s", "CPU s", "peak GB", "quarantined", "wrong"]
    rows = [
        [
            row["title"],
            f"{row['rows']:,.0f}",
            f"{row['rate']:,.0f}",
            _seconds(row["seconds"]),
            _seconds(row["cpu_seconds"]),
            f"{row['peak_bytes'] / _GIGABYTE:.2f}",
            f"{row['quarantined']:,.0f}",
            f"{row['wrong']:,.0f}",
        ]
        for row in result["rows"]
    ]
    return _head(result) + table(heads, rows) + "\n" + _where(result["rows"], ())


def machine(results: Results) -> str:
    """On what it was measured; one line for each machine, when not all parts were measured on the same."""
    parts: dict[str, list[str]] = defaultdict(list)
    for part, result in results.items():
        versions = ", ".join(f"{name} {version}" for name, version in result["versions"].items())
        parts[
            f"{result['cores']} cores ({result['processor']}), {result['memory_gigabytes']} GB, {result['system']}; {versions}"
        ].append(part)
    return "".join(f"- {', '.join(measured)}: {what}\n" for what, measured in parts.items())


def targets(results: Results) -> str:
    rows = []
    for target in TARGETS:
        figure = target.figure(results)
        aim = "" if target.aim is None else _figure(target.aim, target.unit)
        measured = ["", "not measured"] if figure is None else [_figure(figure, target.unit), target.verdict(figure)]
        rows.append([target.what, _figure(target.limit, target.unit), aim, *measured])
    return table(["target", "to keep", "aim", "measured", ""], rows)


PARTS: Final[Mapping[str, Callable[[Row], str]]] = {
    "match": match,
    "growth": growth,
    "history": history,
    "parse": parse,
    "gate": gate,
}


def rewritten(page: str, sections: Mapping[str, str]) -> str:
    """The page with each section in place of what stood between `<!-- NAME -->` and `<!-- /NAME -->`."""
    for name, content in sections.items():
        begin, end = f"<!-- {name} -->", f"<!-- /{name} -->"
        written = f"{begin}\n\n{content}\n{end}".replace("\\", r"\\")
        page, count = re.subn(f"{begin}.*?{end}", written, page, flags=re.DOTALL)
        if count != 1:
            raise ValueError(f"the page has {count} places for {name}, expected one")
    return page


def write(page: Path, results: Results) -> None:
    """Rewrites the tables of a page and the picture of growth beside it, of the parts that have a result."""
    sections = {name: PARTS[name](result) for name, result in results.items()}
    if "growth" in results:
        file = page.with_suffix(".svg")
        file.write_text(picture(results["growth"]["rows"]), "utf-8")
        sections["growth"] = (
            f"![Seconds by millions of purchases, both logarithmic]({file.name})\n\n{sections['growth']}"
        )
    page.write_text(
        rewritten(page.read_text("utf-8"), {**sections, "machine": machine(results), "targets": targets(results)}),
        "utf-8",
    )


def _head(result: Row) -> str:
    return f"`{result['command']}`, {result['at']}, commit {result['commit']}, load before {result['load']}.\n\n"


def _where(rows: Sequence[Row], jobs: Sequence[str]) -> str:
    """Where the seconds go, of the jobs named, or of all."""
    lines = []
    for row in rows:
        if row.get("steps") and (not jobs or row["job"] in jobs):
            most = sorted(row["steps"].items(), key=lambda step: -step[1])[:_STEPS_SHOWN]
            said = ", ".join(f"{step} {_seconds(seconds)}" for step, seconds in most)
            lines.append(f"- {row['title']}, {_seconds(row['seconds'])} s: {said}.")
    return "\n".join(lines) + "\n"


def _times(figure: str, row: Row, raw: Row) -> str:
    return f"{row[figure] / raw[figure]:.1f}" if "failed" not in raw else ""


def _seconds(seconds: float) -> str:
    return f"{seconds:.0f}" if seconds >= 100 else f"{seconds:.1f}" if seconds >= 10 else f"{seconds:.2f}"


def _figure(figure: float, unit: str) -> str:
    number = f"{figure:,.0f}" if figure >= 1_000 else f"{figure:.2f}"
    return f"{number} {unit}".strip()
