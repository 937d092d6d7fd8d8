"""Why a purchase is not matched."""

from dataclasses import asdict
from datetime import datetime
from typing import Annotated, Any

import typer
from rich.markup import escape
from rich.table import Table

from reconcile.cli import console
from reconcile.cli.console import JsonOption, RefusedError
from reconcile.domain.clock import parse_instant

app = typer.Typer()


@app.command()
def explain(
    key: Annotated[
        str,
        typer.Argument(
            help="A case number, a receipt, a phone number, or the id of a confirmation, a payment or a ledger row."
        ),
    ],
    at: Annotated[
        str | None, typer.Option(metavar="TIME", help="Purchases of within an hour of this instant alone (ISO 8601).")
    ] = None,
    region: Annotated[str, typer.Option(help="The country (ISO 3166) of phone numbers without their prefix.")] = "CI",
    as_json: JsonOption = False,
) -> None:
    """Say why a purchase is not matched, pass by pass. Exit code 2 when nothing is known of it."""
    from reconcile.desk.explaining import explain as explain_

    found = explain_(console.application().world, key, region=region, at=_instant(at))
    if not found:
        raise RefusedError("nothing is known of that: neither a case, nor a purchase, nor a ledger row")
    if as_json:
        console.print_json([asdict(one) for one in found])
        return
    for one in found:
        _show(one)


def _show(one: Any) -> None:
    """Prints one `reconcile.desk.explaining.Explanation`."""
    said = [
        ("verdict", one.verdict),
        (
            "purchase",
            f"{one.amount_minor} minor units of {one.asset} for {one.account}, {one.reference or 'no reference'}",
        ),
        ("confirmed", str(one.confirmed_at or "never")),
        ("deadline", str(one.deadline_at or "none")),
        ("complete up to", str(one.complete_through or "unknown")),
        *((name.replace("_", " "), text) for name, text in one.passes),
        *([("blocked", one.blocked)] if one.blocked else []),
        ("may settle", one.settles),
    ]
    heading = f"case {one.case_number}" if one.case_number else "no case"
    console.out.print(f"[bold]{one.flow}[/] · {heading}")
    for name, text in said:
        console.out.print(f"  {name:16}{escape(text)}", highlight=False, soft_wrap=True)
    table = Table(
        "ledger row", "posted", "amount", "account", "reference", "tie", "matched by", box=None, pad_edge=False
    )
    for row in one.rows:
        table.add_row(
            f"{row.feed}:{row.row_number}",
            f"{row.posted_at:%Y-%m-%d %H:%M:%S}",
            f"{row.amount_minor} {row.asset}",
            row.account,
            escape(row.reference or ""),
            row.tie,
            row.found_by or "",
        )
    console.out.print(table if one.rows else "  no ledger row has its reference, or lies near it on its account")


def _instant(text: str | None) -> datetime | None:
    try:
        return None if text is None else parse_instant(text)
    except ValueError as error:
        raise RefusedError(f"--at: {error}: an ISO 8601 instant with its zone, such as 2024-07-09T15:00:00Z") from error
