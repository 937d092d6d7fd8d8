"""The command line. Exit codes: 0 done, 1 something failed, 2 bad input or configuration, 3 breaks, 4 incomplete."""

import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Final

import typer
from rich.markup import escape
from sqlalchemy.exc import OperationalError

from reconcile.cli import (
    batch,
    console,
    explain,
    feeds,
    files,
    installation,
    jobs,
    keeping,
    people,
    quarantine,
    templates,
)
from reconcile.cli.console import RefusedError
from reconcile.config import ConfigurationError
from reconcile.domain.clock import ClockError
from reconcile.domain.refusal import NotAllowedError
from reconcile.logs.setup import to_standard_error
from reconcile.store.database import DatabaseUnavailableError, SchemaError
from reconcile.store.worker_lock import WorkerBusyError

FAILED: Final = 1
BAD_INPUT: Final = 2

app = typer.Typer(
    name="reconcile",
    help="Finds purchases that were confirmed and never credited, puts them right once, and tells the customer the truth.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
for _commands in (installation, files, explain, jobs, keeping, people):
    app.add_typer(_commands.app)
app.add_typer(feeds.app, name="feeds")
app.add_typer(batch.app, name="batch")
app.add_typer(quarantine.app, name="quarantine")
app.add_typer(templates.app, name="templates")


@app.callback()
def _main(
    config: Annotated[
        Path | None,
        typer.Option("--config", "-c", help="The configuration; else $RECONCILE_CONFIG, else ./reconcile.toml."),
    ] = None,
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="Say more about what is being done.")] = False,
) -> None:
    console.options["config"] = config
    console.options["verbose"] = verbose
    # Again once the configuration is read, which may say more.
    to_standard_error(level="info" if verbose else "warning")


_REFUSALS: Final = (
    RefusedError,
    ConfigurationError,
    ClockError,
    DatabaseUnavailableError,
    NotAllowedError,
    SchemaError,
    WorkerBusyError,
)


def main() -> None:
    """The entry point: what is wrong with input or configuration ends in one clear line and exit code 2."""
    with _explained():
        app()


@contextmanager
def _explained() -> Iterator[None]:
    try:
        yield
    except _REFUSALS as error:
        console.err.print(f"[red]reconcile:[/] {escape(str(error))}", soft_wrap=True, highlight=False)
        sys.exit(BAD_INPUT)
    except BrokenPipeError:  # whoever read our output has had enough
        sys.stdout = None
        sys.exit(1)
    except Exception as error:
        if isinstance(error, OperationalError) and getattr(error.orig, "pgcode", None) is None:
            # PostgreSQL never came to say anything: it cannot be reached.
            text = f"{escape(str(error.orig).strip())}: `reconcile doctor` says what to do"
            console.err.print(f"[red]reconcile:[/] {text}", soft_wrap=True, highlight=False)
            sys.exit(BAD_INPUT)
        # Not Python's own traceback: the masked one.
        logging.getLogger(__name__).exception("the command failed")
        sys.exit(FAILED)
