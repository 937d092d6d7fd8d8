"""What concerns an installation as a whole."""

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape
from rich.table import Table

from reconcile.cli import console
from reconcile.cli.console import JsonOption

app = typer.Typer()


@app.command()
def run(
    once: Annotated[
        bool, typer.Option("--once", help="End by itself, two sandbox persons giving the approvals.")
    ] = False,
    home: Annotated[Path, typer.Option(help="Where everything of this world is kept.")] = Path("var"),
) -> None:
    """Live through a day of a sandboxed operator: database, Airflow, desk, gateway, SMS and mail on this machine."""
    from reconcile import daemon

    raise typer.Exit(daemon.run(once=once, home=home))


@app.command()
def migrate() -> None:
    """Bring the database to the newest schema; harmless when it is."""
    before, after = console.application().prepare()
    console.out.print(
        f"the schema is up to date: {after}" if before == after else f"upgraded: {before or 'nothing'} → {after}",
        highlight=False,
    )


@app.command()
def doctor(as_json: JsonOption = False) -> None:
    """Check the configuration against the running world; exit 1 when something does not work."""
    from reconcile.jobs.doctor import examine

    findings = examine(console.application().world)
    if as_json:
        console.print_json([asdict(finding) for finding in findings])
    else:
        table = Table("", "subject", "finding", "what to do", box=None, pad_edge=False)
        marks = {"ok": "[green]ok[/]", "warning": "[yellow]warning[/]", "failure": "[red]failure[/]"}
        for finding in findings:
            table.add_row(marks[finding.level], *map(escape, (finding.subject, finding.text, finding.todo)))
        console.out.print(table)
    raise typer.Exit(1 if any(finding.level == "failure" for finding in findings) else 0)


@app.command()
def dags() -> None:
    """Print the folder of the DAGs, for Airflow's `dags_folder` or a DAG bundle."""
    from reconcile.resources import folder

    console.out.print(str(folder("dags")), soft_wrap=True, highlight=False)
