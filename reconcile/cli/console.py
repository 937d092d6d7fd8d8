"""What every command shares: where it prints, how it shows progress, and how it refuses."""

import json
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Annotated, Any, Final

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from reconcile.logs.setup import to_standard_error

out: Final = Console()
err: Final = Console(stderr=True)
options: dict[str, Any] = {"config": None, "verbose": False}
"""What was said before the command."""

JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON instead of words.")]
FlowArgument = Annotated[str, typer.Argument(help="The name of a flow.")]


class RefusedError(Exception):
    """Input that cannot be used; the message is for the person who gave it."""


@contextmanager
def steps() -> Iterator[Callable[[str, int, int], None]]:
    """Shows on a terminal which of how many steps is being done; says nothing elsewhere."""
    columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    with Progress(*columns, console=err, transient=True, disable=not err.is_terminal) as bar:
        task = bar.add_task("")
        yield lambda doing, done, steps: bar.update(task, description=doing, completed=done, total=steps)


@contextmanager
def source_of(file: Path) -> Iterator[IO[bytes]]:
    """A file, or standard input for `-`; raises `RefusedError` when there is none."""
    if str(file) == "-":
        yield sys.stdin.buffer
        return
    try:
        stream = file.open("rb")
    except OSError as error:
        raise RefusedError(f"{file}: {error.strerror}") from error
    with stream:
        yield stream


@contextmanager
def counting(what: str) -> Iterator[Callable[[int], None] | None]:
    """Shows on a terminal how much is done; says nothing elsewhere."""
    if not err.is_terminal:
        yield None
        return
    columns = (SpinnerColumn(), TextColumn(f"{{task.completed:,.0f}} {what}"), TimeElapsedColumn())
    with Progress(*columns, console=err, transient=True) as bar:
        task = bar.add_task(what, total=None)
        yield lambda done: bar.update(task, completed=done)


def application() -> Any:
    """The `reconcile.app.Application` of the configuration that was named or found."""
    from reconcile.app import application
    from reconcile.config import secrets_of

    found = application(options["config"])
    configuration = found.world.configuration
    to_standard_error(
        style=configuration.log.format,
        level="info" if options["verbose"] else configuration.log.level or "warning",
        secrets=secrets_of(configuration),
    )
    return found


def show(result: Mapping[str, Any], as_json: bool) -> None:
    """Prints what a job did: a line for each name, and for each item of a list."""
    if as_json:
        print_json(result)
        return
    if not any(result.values()):
        out.print("nothing to do")
    for name, value in result.items():
        shown = "\n  ".join(["", *map(str, value)]) if isinstance(value, list) else f" {value}"
        out.print(f"{name.replace('_', ' ')}:{shown}", highlight=False, soft_wrap=True)


def print_json(value: Any) -> None:
    """Prints a value as JSON; what JSON does not know is printed as text."""
    out.print_json(json.dumps(value, default=str))
