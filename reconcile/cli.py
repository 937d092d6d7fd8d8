"""The command line. Exit codes: 0 done, 1 something failed, 2 bad input or configuration, 3 breaks, 4 incomplete."""

import json
import logging
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import IO, Annotated, Any, Final

import typer
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table

from reconcile.config import ConfigurationError, Flow, load
from reconcile.domain.clock import ClockError, parse_instant
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
    handler = logging.StreamHandler(sys.stderr)
    handler.setLevel(
        logging.INFO if verbose else logging.WARNING
    )  # also for libraries that give themselves a lower one
    logging.basicConfig(
        level=handler.level, format="%(asctime)s %(levelname)s %(name)s: %(message)s", handlers=[handler]
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


@app.command("match")
def match_(
    confirmations: Annotated[Path, typer.Argument(help="What customers were told: CSV or Parquet.")],
    ledger: Annotated[Path, typer.Argument(help="What the balance ledger did: CSV or Parquet.")],
    out: Annotated[Path, typer.Option(help="A folder for matches.parquet, breaks.parquet and statement.json.")],
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
    as_json: JsonOption = False,
) -> None:
    """Compare two files and account for every unit. Needs no database and no configuration.

    Columns: id, reference, account, amount (amount_minor in Parquet), currency, occurred_at.
    Exit codes: 0 reconciled, 3 breaks, 4 incomplete, 2 bad input.
    """
    from reconcile.matching.files import DEFAULT_RULES, match_files
    from reconcile.matching.foreign import BadInputError
    from reconcile.matching.table import statement_table

    rules = DEFAULT_RULES if flow is None else _flow_of(flow).rules
    try:
        with _steps() as progress:
            found = match_files(
                confirmations, ledger, out=out, rules=rules, as_of=_instant(as_of), report=report, progress=progress
            )
    except BadInputError as error:
        raise _RefusedError(str(error)) from error
    if as_json:
        _out.print_json(found.statement_file.read_text(encoding="utf-8"))
    else:
        _out.print(statement_table(found))
    raise typer.Exit(found.exit_code)


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


@feeds_app.command("try")
def feeds_try(
    feed: Annotated[str, typer.Argument(help="The name of a feed.")],
    file: Annotated[Path, typer.Argument(help="A file as it would be delivered.")],
    rows: Annotated[int, typer.Option(min=1, help="How many rows to show; all are counted.")] = 50,
    as_json: JsonOption = False,
) -> None:
    """Show row by row what would become of a file; nothing is written. Exit 1 when it would be refused."""
    from reconcile.feeds.rehearsal import rehearse

    world = _application().world
    try:
        seen = rehearse(world.configuration, feed, file, now=world.clock.now(), rows_shown=rows)
    except OSError as error:
        raise _RefusedError(f"{file}: {error.strerror}") from error
    if as_json:
        _print_json(asdict(seen))
    else:
        table = Table("row", "fate", "why", "read as", box=None, pad_edge=False)
        for fate in seen.rows:
            table.add_row(
                str(fate.row_number),
                fate.disposition.replace("_", " "),
                escape(fate.reason or ""),
                escape(", ".join(f"{name}={value}" for name, value in fate.found.items() if value is not None)),
            )
        _out.print(table)
        for name, share in seen.shares.items():
            money = ", ".join(f"{minor:,} minor units of {asset}" for asset, minor in share.money.items())
            _out.print(f"{name.replace('_', ' ')}: {share.rows:,} rows{f', {money}' if money else ''}", highlight=False)
        if seen.refused is not None:
            _out.print(f"[red]the delivery would be refused:[/] {escape(seen.refused)}", highlight=False)
    raise typer.Exit(1 if seen.refused is not None else 0)


@templates_app.command("test")
def templates_test(
    files: Annotated[
        list[Path] | None, typer.Argument(help="Template files; without any, those that are built in.")
    ] = None,
) -> None:
    """Run the worked examples of templates; exit 1 when one is read otherwise than it says."""
    from reconcile.feeds.messages.catalogue import Catalogue
    from reconcile.feeds.messages.examples import failures
    from reconcile.feeds.messages.template import TemplateError

    try:
        found = failures(Catalogue.load(files) if files else Catalogue.load())
    except (TemplateError, OSError, ValueError) as error:
        raise _RefusedError(str(error)) from error
    for sentence in found:
        _out.print(sentence, markup=False, highlight=False, soft_wrap=True)
    _out.print(f"{len(found)} failed" if found else "every example is read as it says")
    raise typer.Exit(1 if found else 0)


@templates_app.command("suggest")
def templates_suggest(
    file: Annotated[Path, typer.Argument(help="JSON lines of messages; - is standard input.")] = Path("-"),
) -> None:
    """Propose templates, as TOML to review, for messages of one shape that no template reads."""
    from reconcile.feeds.messages.catalogue import Catalogue
    from reconcile.feeds.messages.lines import LineError, read_line
    from reconcile.feeds.messages.suggest import rendered, suggest

    try:
        with _source(file) as source:
            messages = [read_line(line, number) for number, line in enumerate(source, start=1)]
    except LineError as error:
        raise _RefusedError(f"{file}: {error}") from error
    sys.stdout.write(rendered(suggest(messages, Catalogue.load())))


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
def _steps() -> Iterator[Callable[[str, int, int], None]]:
    """Shows on a terminal which of how many steps is being done; says nothing elsewhere."""
    columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    with Progress(*columns, console=_err, transient=True, disable=not _err.is_terminal) as bar:
        task = bar.add_task("")
        yield lambda doing, done, steps: bar.update(task, description=doing, completed=done, total=steps)


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


def _instant(text: str | None) -> datetime | None:
    try:
        return None if text is None else parse_instant(text)
    except ValueError as error:
        raise _RefusedError(
            f"--as-of: {error}: an ISO 8601 instant with its zone, such as 2024-07-09T15:00:00Z"
        ) from error


def _flow_of(text: str) -> Flow:
    if not text.endswith(".toml"):
        flow: Flow = _application().world.configuration.flow(text)
        return flow
    flows = load(Path(text)).flows
    if len(flows) != 1:
        raise _RefusedError(f"{text}: expected one [[flow]], found {len(flows)}")
    return flows[0]


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
