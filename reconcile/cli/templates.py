import sys
from pathlib import Path
from typing import Annotated

import typer

from reconcile.cli import console
from reconcile.cli.console import RefusedError

app = typer.Typer(no_args_is_help=True, help="How messages are read.")


@app.command("test")
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
        catalogue = Catalogue.load(files) if files else Catalogue.load()
        found = failures(catalogue)
    except TemplateError as error:
        raise RefusedError(str(error)) from error
    for sentence in found:
        console.out.print(sentence, markup=False, highlight=False, soft_wrap=True)
    examples = sum(len(template.row.examples) for template in catalogue.templates)
    outcome = f"{len(found)} fields are read otherwise" if found else "all are read as they say"
    console.out.print(f"{len(catalogue.templates)} templates, {examples} examples: {outcome}")
    raise typer.Exit(1 if found else 0)


@app.command("suggest")
def templates_suggest(
    file: Annotated[Path, typer.Argument(help="JSON lines of messages; - is standard input.")] = Path("-"),
) -> None:
    """Propose templates, as TOML to review, for messages of one shape that no template reads."""
    from reconcile.feeds.messages.catalogue import Catalogue
    from reconcile.feeds.messages.lines import LineError, read_line
    from reconcile.feeds.messages.suggest import rendered, suggest

    try:
        with console.source_of(file) as source:
            messages = [read_line(line, number) for number, line in enumerate(source, start=1)]
    except LineError as error:
        raise RefusedError(f"{file}: {error}") from error
    sys.stdout.write(rendered(suggest(messages, Catalogue.load())))
