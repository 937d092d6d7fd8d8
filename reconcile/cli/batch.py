"""What people see of batches, and do about one that is wrong."""

import getpass
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated
from uuid import UUID

import typer
from rich.markup import escape
from rich.table import Table

from reconcile.cli import console
from reconcile.cli.console import JsonOption, RefusedError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from reconcile.jobs.withdrawing import DecidedCase
    from reconcile.jobs.world import World

app = typer.Typer(no_args_is_help=True, help="Batches: what was delivered, and taking back what turned out wrong.")

BatchArgument = Annotated[UUID, typer.Argument(help="The id of a batch, as `batch list` shows it.")]
ReasonOption = Annotated[str, typer.Option(prompt=True, help="Why; it goes into the audit.")]


def actor() -> str:
    """Who works at this terminal, as the audit names them."""
    return f"user:{getpass.getuser()}"


def require_feed(world: "World", feed: str) -> None:
    """Raises `ConfigurationError` for a name that is not configured and that no batch has; a feed that was taken out of the
    configuration still has its batches.
    """
    from reconcile.feeds import shelf

    with world.database.begin() as connection:
        if not shelf.find(connection, feed=feed, at_most=1):
            world.configuration.feed(feed)


@app.command("list")
def batch_list(
    feed: Annotated[str | None, typer.Option(help="Of this feed alone.")] = None,
    status: Annotated[str | None, typer.Option(help="landed, published, refused or withdrawn")] = None,
    limit: Annotated[int, typer.Option(min=1, help="The newest so many.")] = 50,
    as_json: JsonOption = False,
) -> None:
    """List batches, the newest first, with what became of their rows."""
    from reconcile.feeds import shelf

    if status is not None and status not in shelf.STATUSES:
        raise RefusedError(f"--status: {status} is none of {', '.join(shelf.STATUSES)}")
    world = console.application().world
    if feed is not None:
        require_feed(world, feed)
    with world.database.begin() as connection:
        found = shelf.find(connection, feed=feed, status=status, at_most=limit)
    if as_json:
        console.print_json([asdict(batch) for batch in found])
        return
    table = Table(
        "batch", "feed", "name", "status", "rows", "published", "kept back", "duplicate", "out of scope", "", box=None,
        pad_edge=False,
    )  # fmt: skip
    for one in found:
        counts = (one.raw_rows, one.published_rows, one.quarantined_rows, one.duplicate_rows, one.out_of_scope_rows)
        table.add_row(
            str(one.batch_id),
            one.feed,
            escape(one.source),
            one.status,
            *(f"{count:,}" for count in counts),
            escape(one.reason or one.remark or ""),
        )
    console.out.print(table)


@app.command("show")
def batch_show(batch: BatchArgument, as_json: JsonOption = False) -> None:
    """Show one batch, and what was decided on its rows."""
    from reconcile.feeds import shelf
    from reconcile.jobs.withdrawing import decided_on

    world = console.application().world
    with world.database.begin() as connection:
        found = shelf.show(connection, batch)
    if found is None:
        raise RefusedError(f"there is no batch {batch}")
    decided = decided_on(world, batch)
    if as_json:
        console.print_json({**asdict(found), "decided": [asdict(one) for one in decided]})
        return
    for name, value in asdict(found).items():
        if value not in (None, (), {}):
            console.out.print(f"{name.replace('_', ' ')}: {value}", highlight=False, soft_wrap=True, markup=False)
    _print_decided(decided)


@app.command("withdraw")
def batch_withdraw(batch: BatchArgument, reason: ReasonOption, as_json: JsonOption = False) -> None:
    """Take back a published batch that turned out wrong; lists what was decided on its rows. Pays and tells nothing."""
    from reconcile.jobs.withdrawing import withdraw_batch

    done = withdraw_batch(console.application().world, batch, actor=actor(), reason=reason)
    if as_json:
        console.print_json(asdict(done))
        return
    console.out.print(
        f"withdrawn; its rows leave with the next fold. Re-credits that will not be sent: {done.voided}; "
        f"notices that will not go out: {done.unsaid}",
        highlight=False,
        soft_wrap=True,
    )
    for copy, rows in done.read_again.items():
        console.out.print(
            f"batch {copy} had {rows} copies of its rows; these count now", highlight=False, soft_wrap=True
        )
    _print_decided(done.decided)


@app.command("release")
def batch_release(batch: BatchArgument, reason: ReasonOption) -> None:
    """Say that nothing is to come in the place of a withdrawn batch: it holds nobody back any more."""
    from reconcile.jobs.withdrawing import release_batch

    release_batch(console.application().world, batch, actor=actor(), reason=reason)
    console.out.print("released")


@app.command("accept")
def batch_accept(batch: BatchArgument, reason: ReasonOption) -> None:
    """Take a batch that was refused for an unusual volume or period; the next run of its feed publishes it."""
    from reconcile.feeds.acceptance import accept

    world = console.application().world
    with world.database.begin() as connection:
        accept(connection, batch, actor=actor(), reason=reason, now=world.clock.now())
    console.out.print("accepted; the next run of its feed judges it again")


@app.command("replay")
def batch_replay(batch: BatchArgument, reason: ReasonOption, as_json: JsonOption = False) -> None:
    """Read a published or withdrawn batch again, through today's configuration and templates."""
    from reconcile.jobs.replaying import read_again

    done = read_again(console.application().world, batch, actor=actor(), reason=reason)
    console.show({"became": done.batch_id, "left_quarantine": done.released, **done.counts}, as_json)


def _print_decided(decided: "Sequence[DecidedCase]") -> None:
    if not decided:
        console.out.print("nothing was decided on its rows")
        return
    table = Table(
        "case", "verdict", "status", "owed", "re-credit", "told", box=None, pad_edge=False, title="decided on"
    )
    for one in decided:
        remedy = f"{one.remedy} {one.remedy_minor:,}" if one.remedy else ""
        owed = f"{one.owed_minor:,} minor units of {one.asset}"
        table.add_row(one.number, one.kind, one.status, owed, remedy, ", ".join(one.told))
    console.out.print(table)
