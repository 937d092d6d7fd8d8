"""From file to file: these commands need neither a database nor a configuration."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from reconcile.cli import console
from reconcile.cli.console import JsonOption, RefusedError
from reconcile.cli.engine import EngineName, EngineOption, cluster
from reconcile.config import Flow, load
from reconcile.domain.clock import parse_instant
from reconcile.store.lake import Lake
from reconcile.store.place import is_local, open_place
from reconcile.store.scratch import scratch_folder

app = typer.Typer()


@app.command()
def parse(
    file: Annotated[
        Path,
        typer.Argument(
            help="JSON lines with id, text and, where known, sender, country, received_at; - is standard input."
        ),
    ] = Path("-"),
    templates: Annotated[
        list[Path] | None, typer.Option(help="A file or folder of templates beside the built-in ones; may be repeated.")
    ] = None,
    processes: Annotated[
        int | None, typer.Option(min=1, help="How many processes read a big input; without it, one for each core.")
    ] = None,
) -> None:
    """Read messages: JSON lines in, JSON lines out, in the same order, one for each. Needs no configuration."""
    from reconcile.feeds.messages.lines import LineError, parse_stream
    from reconcile.feeds.messages.template import TemplateError

    try:
        with console.source_of(file) as source, console.counting("messages") as progress:
            own = tuple(templates or ())
            parse_stream(source, sys.stdout, templates=own, processes=processes, progress=progress)
    except TemplateError as error:
        raise RefusedError(str(error)) from error
    except LineError as error:
        raise RefusedError(f"{'standard input' if str(file) == '-' else file}: {error}") from error


@app.command("match")
def match_(
    confirmations: Annotated[str, typer.Argument(help="What customers were told: CSV or Parquet, a path or a URL.")],
    ledger: Annotated[str, typer.Argument(help="What the balance ledger did: CSV or Parquet, a path or a URL.")],
    out: Annotated[
        str, typer.Option(help="A folder (or a URL) for matches.parquet, breaks.parquet and statement.json.")
    ],
    flow: Annotated[
        str | None,
        typer.Option(help="The flow whose rules hold: a name in the configuration, or a TOML file with one."),
    ] = None,
    as_of: Annotated[
        str | None,
        typer.Option(
            metavar="TIME", help="Both files are complete up to this instant (ISO 8601, with its zone) and no further."
        ),
    ] = None,
    report: Annotated[Path | None, typer.Option(metavar="PAGE.html", help="Also write a page to show.")] = None,
    engine: EngineOption = EngineName.DUCKDB,
    as_json: JsonOption = False,
) -> None:
    """Compare two files and account for every unit. Needs no database and no configuration.

    Columns: id, reference, account, amount (amount_minor in Parquet), currency, occurred_at.
    Exit codes: 0 reconciled, 3 breaks, 4 incomplete, 2 bad input.
    """
    from reconcile.matching.engine import Engine
    from reconcile.matching.files import DEFAULT_RULES, match_files
    from reconcile.matching.foreign import BadInputError
    from reconcile.matching.table import statement_table

    rules = DEFAULT_RULES if flow is None else _flow_of(flow).rules
    try:
        with _folder(out) as folder:
            with console.steps() as progress, cluster(engine) as machines:
                found = match_files(
                    confirmations,
                    ledger,
                    out=folder,
                    rules=rules,
                    as_of=_instant(as_of),
                    report=report,
                    progress=progress,
                    engine=Engine(cluster=machines),
                )
            statement = found.statement_file.read_text(encoding="utf-8")
    except BadInputError as error:
        raise RefusedError(str(error)) from error
    if as_json:
        console.out.print_json(statement)
    else:
        console.out.print(statement_table(found))
    raise typer.Exit(found.exit_code)


@contextmanager
def _folder(out: str) -> Iterator[Path]:
    """The folder `out`; where that is a URL, a folder here whose files are sent there in the end."""
    filesystem, path = open_place(out)
    if is_local(filesystem):
        yield Path(path)
        return
    with scratch_folder("match") as scratch:
        yield scratch / "out"
        lake = Lake(out)
        for file in sorted((scratch / "out").iterdir()):
            lake.put(file, file.name)


def _instant(text: str | None) -> datetime | None:
    try:
        return None if text is None else parse_instant(text)
    except ValueError as error:
        raise RefusedError(
            f"--as-of: {error}: an ISO 8601 instant with its zone, such as 2024-07-09T15:00:00Z"
        ) from error


def _flow_of(text: str) -> Flow:
    if not text.endswith(".toml"):
        flow: Flow = console.application().world.configuration.flow(text)
        return flow
    flows = load(Path(text)).flows
    if len(flows) != 1:
        raise RefusedError(f"{text}: expected one [[flow]], found {len(flows)}")
    return flows[0]
