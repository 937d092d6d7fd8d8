"""Rows that were kept back, and what people do about them."""

from dataclasses import asdict
from datetime import timedelta
from typing import Annotated, Any
from uuid import UUID

import typer
from rich.markup import escape
from rich.table import Table

from reconcile.cli import console
from reconcile.cli.batch import ReasonOption, actor, require_feed
from reconcile.cli.console import JsonOption, RefusedError

app = typer.Typer(
    no_args_is_help=True, help="Rows that were kept back: why, whom they hold, and what is to become of them."
)

RowArgument = Annotated[UUID, typer.Argument(help="The id of a row, as `quarantine list` shows it.")]
FeedOption = Annotated[str | None, typer.Option(help="Of this feed alone.")]
BrokeOption = Annotated[
    str | None,
    typer.Option("--broke", help="Those alone that broke this expectation, such as amount_is_readable."),
]


@app.command("list")
def quarantine_list(
    feed: FeedOption = None,
    broke: BrokeOption = None,
    older_than: Annotated[
        int | None, typer.Option(min=1, metavar="HOURS", help="Those alone that have lain there so long.")
    ] = None,
    status: Annotated[str, typer.Option(help="held, replayed, superseded or dismissed")] = "held",
    limit: Annotated[int, typer.Option(min=1, help="The oldest so many; all are counted.")] = 50,
    as_json: JsonOption = False,
) -> None:
    """Count the rows by what they broke, and list the oldest with whom each keeps from being paid."""
    from reconcile.feeds import quarantine

    if status not in quarantine.STATUSES:
        raise RefusedError(f"--status: {status} is none of {', '.join(quarantine.STATUSES)}")
    world = console.application().world
    if feed is not None:
        require_feed(world, feed)
    before = None if older_than is None else world.clock.now() - timedelta(hours=older_than)
    meant = quarantine.Filter(feed=feed, broke=broke, before=before, status=status)
    with world.database.begin() as connection:
        counts = quarantine.count(connection, meant)
        rows = quarantine.find(connection, meant, at_most=limit)
    if as_json:
        console.print_json({"counts": counts, "rows": [asdict(row) for row in rows]})
        return
    for name, reasons in counts.items():
        said = ", ".join(f"{reason} {number:,}" for reason, number in reasons.items())
        console.out.print(f"{name}: {said}", highlight=False, soft_wrap=True)
    table = Table("row", "feed", "name", "line", "since", "why", "holds", box=None, pad_edge=False)
    for row in rows:
        table.add_row(
            str(row.quarantine_id),
            row.feed,
            escape(row.source),
            str(row.row_number),
            f"{row.quarantined_at:%Y-%m-%d %H:%M}",
            escape(row.reason),
            escape(row.holds_whom),
        )
    console.out.print(table if rows else "nothing is kept back")


@app.command("show")
def quarantine_show(
    row: RowArgument,
    reveal: Annotated[
        bool,
        typer.Option("--reveal", help="With the row as it was delivered and its number; that you looked is noted."),
    ] = False,
    reason: Annotated[str | None, typer.Option(help="Why it must be revealed; it goes into the audit.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Show one row: why it was kept back, and whom it keeps from being paid."""
    from reconcile.feeds import quarantine

    if reveal and not reason:
        raise RefusedError("--reveal needs --reason")
    world = console.application().world
    try:
        with world.database.begin() as connection:
            found = (
                quarantine.reveal(connection, row, actor=actor(), reason=reason, now=world.clock.now())
                if reveal and reason
                else quarantine.show(connection, row)
            )
    except quarantine.NotHeldError as error:
        raise RefusedError(str(error)) from error
    if as_json:
        console.print_json(asdict(found))
        return
    for name, value in {**asdict(found), "holds": found.holds_whom, "waiting": None}.items():
        if value is not None:
            console.out.print(f"{name.replace('_', ' ')}: {value}", highlight=False, soft_wrap=True, markup=False)


@app.command("dismiss")
def quarantine_dismiss(row: RowArgument, reason: ReasonOption) -> None:
    """Say that nobody waits for a row: it holds nobody back any more."""
    from reconcile.feeds import quarantine

    world = console.application().world
    try:
        with world.database.begin() as connection:
            quarantine.dismiss(connection, row, actor=actor(), reason=reason, now=world.clock.now())
    except quarantine.NotHeldError as error:
        raise RefusedError(str(error)) from error
    console.out.print("dismissed")


@app.command("replay")
def quarantine_replay(
    reason: ReasonOption,
    feed: FeedOption = None,
    broke: BrokeOption = None,
    rows: Annotated[list[UUID] | None, typer.Option("--row", help="This row alone; may be said several times.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Read rows again, through today's configuration and templates; what can be read is published."""
    from reconcile.feeds.quarantine import Filter
    from reconcile.jobs.replaying import replay_quarantine

    world = console.application().world
    if feed is not None:
        require_feed(world, feed)
    done = replay_quarantine(world, Filter(feed=feed, broke=broke), actor=actor(), reason=reason, row_ids=rows or ())
    result: dict[str, Any] = {
        "read_again": [
            f"{one.source}: {one.replay.counts['published']} published, {one.replay.released} left the quarantine"
            + (f", batch {one.replay.batch_id}" if one.replay.batch_id else "")
            for one in done
        ]
    }
    if as_json:
        result = {"read_again": [asdict(one) for one in done]}
    console.show(result, as_json)
