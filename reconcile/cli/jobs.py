"""One command for each step of the DAGs."""

import typer

from reconcile.cli import console
from reconcile.cli.console import FlowArgument, JsonOption

app = typer.Typer()


@app.command()
def fold(flow: FlowArgument, as_json: JsonOption = False) -> None:
    """Match what is new in a flow, and decide what is to be done about what is missing."""
    console.show({"run": console.application().fold_flow(flow)}, as_json)


@app.command()
def dispatch(flow: FlowArgument, as_json: JsonOption = False) -> None:
    """Pay what is approved in a flow, and ask about what is open."""
    console.show(console.application().dispatch_flow(flow), as_json)


@app.command()
def notify(as_json: JsonOption = False) -> None:
    """Send the notices that are due, and collect receipts."""
    console.show(console.application().send_notices(), as_json)


@app.command()
def report(as_json: JsonOption = False) -> None:
    """Write the daily report as HTML, CSV and XLSX."""
    console.show({"files": console.application().write_report()}, as_json)
