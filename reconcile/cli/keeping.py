"""What is kept, and how it leaves."""

import getpass
from dataclasses import asdict
from typing import Annotated

import typer
from rich.filesize import decimal
from rich.table import Table

from reconcile.cli import console
from reconcile.cli.console import JsonOption, RefusedError

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


AccountArgument = Annotated[
    str, typer.Argument(help="A phone number in E.164; - asks for it, so that no shell keeps it.")
]
ReasonOption = Annotated[str, typer.Option(prompt=True, help="Why; it goes into the audit, so it names nobody.")]


@app.command()
def erase(account: AccountArgument, reason: ReasonOption, as_json: JsonOption = False) -> None:
    """Erase a customer's number from every table and file; refused while anything of theirs is under way."""
    from reconcile.jobs.erasing import erase as erase_account

    world, asked = console.application().world, _asked(account)
    with console.counting("files looked at") as progress:
        counts = erase_account(world, asked, reason=reason, actor=_actor(), progress=progress)
    console.show(counts, as_json)


@app.command()
def hold(
    account: AccountArgument,
    reason: ReasonOption,
    release: Annotated[bool, typer.Option("--release", help="End the hold.")] = False,
) -> None:
    """Put a legal hold on a customer's data: nothing of it is erased, and no file is removed for its age."""
    from reconcile.jobs.erasing import e164
    from reconcile.keeping import person

    world, asked = console.application().world, e164(_asked(account))
    change = person.release if release else person.hold
    with world.database.begin() as connection:
        changed = change(connection, asked, actor=_actor(), reason=reason, now=world.clock.now())
    if release and not changed:
        raise RefusedError("there is no hold on this account")
    console.out.print("the hold has ended" if release else "a legal hold stands")


@app.command()
def suppress(account: AccountArgument, reason: ReasonOption) -> None:
    """Never send anything to a number again, whatever a directory feed says."""
    from reconcile.jobs.erasing import e164
    from reconcile.keeping import person

    world, asked = console.application().world, e164(_asked(account))
    with world.database.begin() as connection:
        person.suppress(connection, asked, actor=_actor(), reason=reason, now=world.clock.now())
    console.out.print("nothing is sent to this number any more")


def _asked(account: str) -> str:
    answer: str = typer.prompt("Account", hide_input=True) if account == "-" else account
    return answer


def _actor() -> str:
    return f"user:{getpass.getuser()}"
