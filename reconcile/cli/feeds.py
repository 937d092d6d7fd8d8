from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape
from rich.table import Table

from reconcile.cli import console
from reconcile.cli.console import JsonOption, RefusedError

app = typer.Typer(no_args_is_help=True, help="Deliveries: take what has arrived, or see what would happen to a file.")


@app.command("take")
def feeds_take(feed: Annotated[str, typer.Argument(help="The name of a feed.")], as_json: JsonOption = False) -> None:
    """Land, check and publish what has arrived for a feed."""
    console.show({"batches": console.application().take_feed(feed)}, as_json)


@app.command("try")
def feeds_try(
    feed: Annotated[str, typer.Argument(help="The name of a feed.")],
    file: Annotated[Path, typer.Argument(help="A file as it would be delivered.")],
    rows: Annotated[int, typer.Option(min=1, help="How many rows to show; all are counted.")] = 50,
    as_json: JsonOption = False,
) -> None:
    """Show row by row what would become of a file; nothing is written. Exit 1 when it would be refused."""
    from reconcile.feeds.rehearsal import rehearse

    world = console.application().world
    try:
        seen = rehearse(world.configuration, feed, file, now=world.clock.now(), rows_shown=rows)
    except OSError as error:
        raise RefusedError(f"{file}: {error.strerror}") from error
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
