"""The command line. Exit codes: 0 done, 1 something failed, 2 bad input or configuration, 3 breaks, 4 incomplete."""

import json
import logging
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Annotated, Any, Final

import typer
from rich.console import Console
from rich.markup import escape
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table

from reconcile.config import ConfigurationError
from reconcile.domain.clock import ClockError
from reconcile.domain.refusal import NotAllowedError
from reconcile.store.database import DatabaseUnavailableError

BAD_INPUT: Final = 2

app = typer.Typer(
    name="reconcile",
    help="Finds purchases that were confirmed and never credited, puts them right once, and tells the customer the truth.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
user_app = typer.Typer(no_args_is_help=True, help="People who may sign in to the desk.")
feeds_app = typer.Typer(
    no_args_is_help=True, help="Deliveries: take what has arrived, or see what would happen to a file."
)
templates_app = typer.Typer(no_args_is_help=True, help="How messages are read.")
app.add_typer(user_app, name="user")
app.add_typer(feeds_app, name="feeds")
app.add_typer(templates_app, name="templates")

_out: Final = Console()
_err: Final = Console(stderr=True)
_options: dict[str, Path | None] = {"config": None}

JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON instead of words.")]
FlowArgument = Annotated[str, typer.Argument(help="The name of a flow.")]


@app.callback()
def _main(
    config: Annotated[
        Path | None,
        typer.Option("--config", "-c", help="The configuration; else $RECONCILE_CONFIG, else ./reconcile.toml."),
    ] = None,
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="Say more about what is being done.")] = False,
) -> None:
    _options["config"] = config
    logging.basicConfig(
        level=logging.INFO if verbose else logging.WARNING,
        format="%(asctime)s %(levelname)s %(name)s: %(message)s",
        stream=sys.stderr,
    )


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
def parse(
    file: Annotated[
        Path,
        typer.Argument(
            help="JSON lines with id, text and, where known, sender, country, received_at; - is standard input."
        ),
    ] = Path("-"),
) -> None:
    """Read messages: JSON lines in, JSON lines out, in the same order, one for each. Needs no configuration."""
    from reconcile.feeds.messages.lines import LineError, parse_stream

    try:
        with _source(file) as source, _counting("messages") as progress:
            parse_stream(source, sys.stdout, progress=progress)
    except LineError as error:
        raise _RefusedError(f"{'standard input' if str(file) == '-' else file}: {error}") from error


@app.command()
def migrate() -> None:
    """Bring the database to the newest schema; harmless when it is."""
    _application().prepare()
    _out.print("the schema is up to date")


@app.command()
def doctor(as_json: JsonOption = False) -> None:
    """Check the configuration against the running world; exit 1 when something does not work."""
    from reconcile.jobs.doctor import examine

    findings = examine(_application().world)
    if as_json:
        _print_json([{"subject": f.subject, "level": f.level, "text": f.text} for f in findings])
    else:
        table = Table("", "subject", "finding", box=None, pad_edge=False)
        marks = {"ok": "[green]ok[/]", "warning": "[yellow]warning[/]", "failure": "[red]failure[/]"}
        for finding in findings:
            table.add_row(marks[finding.level], finding.subject, finding.text)
        _out.print(table)
    raise typer.Exit(1 if any(finding.level == "failure" for finding in findings) else 0)


@app.command()
def dags() -> None:
    """Print the folder of the DAGs, for Airflow's `dags_folder` or a DAG bundle."""
    from reconcile.resources import folder

    _out.print(str(folder("dags")), soft_wrap=True, highlight=False)


@feeds_app.command("take")
def feeds_take(feed: Annotated[str, typer.Argument(help="The name of a feed.")], as_json: JsonOption = False) -> None:
    """Land, check and publish what has arrived for a feed."""
    _show({"batches": _application().take_feed(feed)}, as_json)


@app.command()
def fold(flow: FlowArgument, as_json: JsonOption = False) -> None:
    """Match what is new in a flow, and decide what is to be done about what is missing."""
    _show({"run": _application().fold_flow(flow)}, as_json)


@app.command()
def dispatch(flow: FlowArgument, as_json: JsonOption = False) -> None:
    """Pay what is approved in a flow, and ask about what is open."""
    _show(_application().dispatch_flow(flow), as_json)


@app.command()
def notify(as_json: JsonOption = False) -> None:
    """Send the notices that are due, and collect receipts."""
    _show(_application().send_notices(), as_json)


@app.command()
def report(as_json: JsonOption = False) -> None:
    """Write the daily report as HTML, CSV and XLSX."""
    _show({"files": _application().write_report()}, as_json)


@app.command()
def stop(
    flow: FlowArgument, reason: Annotated[str, typer.Option(prompt=True, help="Why; it goes into the audit.")]
) -> None:
    """Stop a flow at once: nothing is paid and nobody is told anything. One person may always stop."""
    import getpass

    from reconcile.remedy import modes

    world = _application().world
    world.configuration.flow(flow)
    with world.database.begin() as connection:
        modes.stop(connection, flow=flow, actor=f"user:{getpass.getuser()}", reason=reason, now=world.clock.now())
    _out.print(f"{flow} is stopped")


@app.command()
def activate(
    flow: FlowArgument,
    maker: Annotated[str, typer.Option(prompt=True, help="Who proposes it.")],
    approver: Annotated[str, typer.Option(prompt=True, help="Who agrees; somebody else.")],
    reason: Annotated[str, typer.Option(prompt=True, help="Why; it goes into the audit.")],
) -> None:
    """Put the mode and the limits of the configuration into force; two people who may sign in must agree."""
    application = _application()
    passwords = {name: typer.prompt(f"Password of {name}", hide_input=True) for name in (maker, approver)}
    mode = application.activate(flow, maker=maker, approver=approver, passwords=passwords, reason=reason)
    _out.print(f"{flow} is {mode}")


@user_app.command("add")
def user_add(
    username: str,
    role: Annotated[str, typer.Option(help="agent, supervisor, auditor, engineer or admin")] = "agent",
    name: Annotated[str, typer.Option(help="What the desk calls this person.")] = "",
    language: Annotated[str, typer.Option(help="fr or en")] = "fr",
    password: Annotated[str, typer.Option(prompt=True, hide_input=True, confirmation_prompt=True)] = "",
) -> None:
    """Let somebody sign in to the desk, or change how."""
    from reconcile.desk.accounts import ensure_user

    with _application().world.database.begin() as connection:
        ensure_user(connection, username, password, role, name or username, language)
    _out.print(f"{username} may sign in as {role}")


class _RefusedError(Exception):
    """Input that cannot be used; the message is for the person who gave it."""


@contextmanager
def _source(file: Path) -> Iterator[IO[bytes]]:
    if str(file) == "-":
        yield sys.stdin.buffer
        return
    try:
        stream = file.open("rb")
    except OSError as error:
        raise _RefusedError(f"{file}: {error.strerror}") from error
    with stream:
        yield stream


@contextmanager
def _counting(what: str) -> Iterator[Callable[[int], None] | None]:
    """Shows on a terminal how much is done; says nothing elsewhere."""
    if not _err.is_terminal:
        yield None
        return
    columns = (SpinnerColumn(), TextColumn(f"{{task.completed:,.0f}} {what}"), TimeElapsedColumn())
    with Progress(*columns, console=_err, transient=True) as bar:
        task = bar.add_task(what, total=None)
        yield lambda done: bar.update(task, completed=done)


_REFUSALS: Final = (_RefusedError, ConfigurationError, ClockError, DatabaseUnavailableError, NotAllowedError)


def main() -> None:
    """The entry point: what is wrong with input or configuration ends in one clear line and exit code 2."""
    with _explained():
        app()


@contextmanager
def _explained() -> Iterator[None]:
    try:
        yield
    except _REFUSALS as error:
        _err.print(f"[red]reconcile:[/] {escape(str(error))}", soft_wrap=True, highlight=False)
        sys.exit(BAD_INPUT)
    except BrokenPipeError:  # whoever read our output has had enough
        sys.stdout = None
        sys.exit(1)


def _application() -> Any:
    from reconcile.app import application

    return application(_options["config"])


def _show(result: Mapping[str, Any], as_json: bool) -> None:
    if as_json:
        _print_json(result)
        return
    if not any(result.values()):
        _out.print("nothing to do")
    for name, value in result.items():
        shown = "\n  ".join(["", *map(str, value)]) if isinstance(value, list) else f" {value}"
        _out.print(f"{name.replace('_', ' ')}:{shown}", highlight=False, soft_wrap=True)


def _print_json(value: Any) -> None:
    _out.print_json(json.dumps(value, default=str))


if __name__ == "__main__":
    main()
