"""One command for each step of the DAGs."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from reconcile.cli import console
from reconcile.cli.console import FlowArgument, JsonOption
from reconcile.cli.engine import EngineName, EngineOption, cluster

app = typer.Typer()


@app.command()
def fold(flow: FlowArgument, engine: EngineOption = EngineName.DUCKDB, as_json: JsonOption = False) -> None:
    """Match what is new in a flow, and decide what is to be done about what is missing."""
    with cluster(engine) as machines:
        console.show({"run": console.application().fold_flow(flow, cluster=machines)}, as_json)


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


@app.command()
def alert(as_json: JsonOption = False) -> None:
    """Tell whoever `alerts` in the configuration names what needs a person; for a cron of your own where no desk runs."""
    console.show(console.application().tell_operators(), as_json)


@app.command()
def metrics(
    push: Annotated[bool, typer.Option("--push", help="Send them once by OTLP, to where $OTEL_* say.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Print the figures that monitoring is told, as Prometheus reads them."""
    from reconcile.metrics import otlp, prometheus, reading

    world = console.application().world
    points = reading.read(world.database, world.clock.now())
    if push:
        if not otlp.wanted():
            raise console.RefusedError("$OTEL_EXPORTER_OTLP_ENDPOINT names no place to send metrics to")
        try:
            otlp.push(points)
        except otlp.TelemetryError as error:
            raise console.RefusedError(str(error)) from error
    elif as_json:
        console.print_json([{"name": p.metric.name, "attributes": p.attributes, "value": p.value} for p in points])
    else:
        sys.stdout.write(prometheus.exposition(points))


@app.command()
def expectations(
    out: Annotated[Path, typer.Option(help="The folder that the page is written to.")] = Path("expectations-page"),
) -> None:
    """Write a page that says what deliveries and folds are held to, and what broke it lately; it needs no network."""
    from reconcile.jobs.write_expectations import write_expectations

    file = write_expectations(console.application().world, out)
    console.out.print(str(file), soft_wrap=True, highlight=False)
