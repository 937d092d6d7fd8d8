"""What is kept, and how it leaves."""

from dataclasses import asdict
from typing import Annotated

import typer
from rich.filesize import decimal
from rich.table import Table

from reconcile.cli import console
from reconcile.cli.console import JsonOption

app = typer.Typer()


@app.command()
def housekeep(
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be done, and do nothing.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Merge past days, and remove what is beyond its retention or named by nobody."""
    from reconcile.jobs.housekeeping import housekeep as keep

    with console.steps() as progress:
        done = keep(console.application().world, dry=dry_run, progress=progress)
    if as_json:
        console.print_json([asdict(one) for one in done])
        return
    table = Table("would be done" if dry_run else "done", "how many", "frees", "", box=None, pad_edge=False)
    for one in done:
        table.add_row(one.what, f"{one.count:,}", decimal(one.size_bytes) if one.size_bytes else "", one.note)
    console.out.print(table)
