"""What every delivery and every fold is held to, and what broke it lately: one HTML page that needs no network and no script."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import jinja2

from reconcile.reports.html import style
from reconcile.reports.templates import FOLDER

_STYLE: Final = FOLDER / "expectations.css"


@dataclass(frozen=True, slots=True)
class Expectation:
    """One of a suite. `rule`: its type and arguments as Great Expectations has them; `broken`: who broke it lately → how often."""

    name: str
    failing_row: str
    why: str
    rule: str
    broken: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Examined:
    """The last time that a suite was held against something. `outcome`: in a few words."""

    what: str
    at: datetime
    rows: int
    broken: int
    outcome: str


@dataclass(frozen=True, slots=True)
class Suite:
    """A file of `expectations/`. `counts`: what the numbers beside its expectations count."""

    name: str
    counts: str
    expectations: Sequence[Expectation]
    examined: Sequence[Examined]

    @property
    def broken(self) -> int:
        return sum(sum(one.broken.values()) for one in self.expectations)


def expectation(content: Mapping[str, Any], broken: Mapping[str, int]) -> Expectation:
    """One expectation of the suite's JSON."""
    meta, arguments = content["meta"], content["kwargs"]
    said = ", ".join(f"{name} = {_shown(value)}" for name, value in arguments.items())
    return Expectation(meta["name"], meta["failing_row"], meta["why"], f"{content['type']}({said})", broken)


def page(suites: Sequence[Suite], *, now: datetime, since: datetime) -> str:
    """The whole page as text. Everything that it shows stands in it."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(FOLDER),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    template = environment.get_template("expectations.html")
    return template.render(suites=suites, now=now, since=since, style=style(_STYLE))


def _shown(value: Any) -> str:
    match value:
        case {"$PARAMETER": name}:
            return f"${name}"
        case {"type": "comparison", "column": {"name": name}, "operator": operator, "parameter": parameter}:
            return f"[{name} {operator} {parameter}]"
        case str():
            return f"'{value}'"
        case _:
            return repr(value)
