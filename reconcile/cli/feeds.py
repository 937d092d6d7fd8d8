from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape
from rich.table import Table

from reconcile.cli import console
from reconcile.cli.console import JsonOption, RefusedError

if TYPE_CHECKING:
    from reconcile.feeds.rehearsal import Rehearsal

app = typer.Typer(no_args_is_help=True, help="Deliveries: take what has arrived, or see what would happen to a file.")


@app.command("take")
def feeds_take(feed: Annotated[str, typer.Argument(help="The name of a feed.")], as_json: JsonOption = False) -> None:
    """Land, check and publish what has arrived for a feed."""
    from reconcile.feeds.inbox import UnreachableError

    try:
        console.show({"batches": console.application().take_feed(feed)}, as_json)
    except UnreachableError as error:
        raise RefusedError(str(error)) from error


@app.command("try")
def feeds_try(
    feed: Annotated[str, typer.Argument(help="The name of a feed.")],
    file: Annotated[
        Path | None, typer.Argument(help="A file as it would be delivered; none for a feed that reads a database.")
    ] = None,
    rows: Annotated[
        int,
        typer.Option(min=1, help="How many rows to show; of a file all are counted, of a database no more are read."),
    ] = 50,
    as_json: JsonOption = False,
) -> None:
    """Show row by row what would become of a file, or of the first rows of a database; nothing is written. Exit 1 when it would be refused."""
    seen = _rehearsed(feed, file, rows)
    if as_json:
        console.print_json(asdict(seen))
    else:
        table = Table("row", "fate", "why", "read as", box=None, pad_edge=False)
        for fate in seen.rows:
            table.add_row(
                str(fate.row_number),
                fate.disposition.replace("_", " "),
                escape(fate.reason or ""),
                escape(", ".join(f"{name}={value}" for name, value in fate.found.items() if value is not None)),
            )
        console.out.print(table)
        for name, share in seen.shares.items():
            money = ", ".join(f"{minor:,} minor units of {asset}" for asset, minor in share.money.items())
            console.out.print(
                f"{name.replace('_', ' ')}: {share.rows:,} rows{f', {money}' if money else ''}", highlight=False
            )
        if seen.refused is not None:
            console.out.print(f"[red]the delivery would be refused:[/] {escape(seen.refused)}", highlight=False)
    raise typer.Exit(1 if seen.refused is not None else 0)


def _rehearsed(feed: str, file: Path | None, rows: int) -> "Rehearsal":
    from reconcile.feeds.inbox import UnreachableError
    from reconcile.feeds.rehearsal import rehearse, rehearse_rows

    world = console.application().world
    configuration, now = world.configuration, world.clock.now()
    reads_database = configuration.feed(feed).reader == "sql"
    if reads_database != (file is None):
        wanted = "reads a database: give no file" if reads_database else "reads files: give one"
        raise RefusedError(f"the feed {feed} {wanted}")
    try:
        if file is None:
            return rehearse_rows(configuration, feed, now=now, rows=rows)
        return rehearse(configuration, feed, file, now=now, rows_shown=rows)
    except OSError as error:
        raise RefusedError(f"{file}: {error.strerror}") from error
    except UnreachableError as error:
        raise RefusedError(str(error)) from error
