"""Deliveries of an operator, of which it is known what must become of each row."""

import json
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

import duckdb

from benchmarks import day

COMPLETE_THROUGH: Final = day.DAY + timedelta(days=2)

CONFIGURATION: Final[dict[str, Any]] = {
    "flow": [{"name": "topup", "asset": "XOF", "since": day.DAY, "zone": "Africa/Abidjan"}],
    "feed": [
        {
            "name": "smsc",
            "flow": "topup",
            "side": "confirmation",
            "reader": "jsonl",
            "location": "inbox/smsc/*.jsonl",
            "provider": "maxit",
            "senders": ["MaxIt"],
        },
        {
            "name": "ocs",
            "flow": "topup",
            "side": "ledger",
            "reader": "csv",
            "location": "inbox/ocs/*.csv",
            "kinds": {"purchase": ["RECHARGE"], "reversal": ["REVERSAL"]},
        },
    ],
}

# Of each thousand rows: three that cannot be read, one that comes twice, ten of another kind.
_FATE: Final = """
    CASE WHEN n % 1000 IN (7, 307, 607) THEN 'quarantined' WHEN n % 100 = 50 THEN 'out_of_scope' ELSE 'published' END"""

_LEDGER: Final = """
    SELECT
        format('E{{:010d}}', n) AS entry_id,
        CASE WHEN fate = 'out_of_scope' THEN 'BONUS' WHEN amount_minor < 0 THEN 'REVERSAL' ELSE 'RECHARGE' END AS type,
        CASE WHEN n % 1000 = 7 THEN 'unknown' ELSE account END AS account,
        CASE WHEN n % 1000 = 307 THEN '1O50' ELSE amount_minor::VARCHAR END AS amount,
        asset AS currency, reference, NULL AS own_key,
        CASE WHEN n % 1000 = 607 THEN '2024-07-32T00:00:00Z' ELSE strftime(posted_at, '%Y-%m-%dT%H:%M:%SZ') END AS posted_at
    FROM numbered, range(1 + (n % 1000 = 107)::BIGINT) ORDER BY n"""

_MESSAGES: Final = """
    SELECT
        format('M{{:010d}}', n) AS id,
        CASE WHEN fate = 'out_of_scope' THEN 'Friend' ELSE 'MaxIt' END AS sender,
        CASE WHEN n % 1000 = 7 THEN 'unknown' ELSE account END AS recipient,
        CASE
            WHEN n % 1000 IN (307, 607) THEN 'Votre recharge: voir le recu.'
            ELSE concat(
                'Vous avez achete ', amount_minor, ' FCFA d''unites pour le ', right(account, 10), '. Frais: 0 FCFA. ',
                'Nouveau solde: 12340 FCFA. ID Trans: ', reference, '.'
            )
        END AS text,
        strftime(confirmed_at, '%Y-%m-%dT%H:%M:%SZ') AS sent_at
    FROM numbered, range(1 + (n % 1000 = 107)::BIGINT) ORDER BY n"""

_SIDES: Final = {
    "ocs": (day.ENTRIES, _LEDGER, "(FORMAT csv, HEADER true)", "csv"),
    "smsc": (day.CONFIRMATIONS, _MESSAGES, "(FORMAT json)", "jsonl"),
}


def write(feed: str, made_day: Path, inbox: Path) -> dict[str, int]:
    """One delivery with its control file; returns what must become of its rows, and of the published ones the money."""
    source, query, form, ending = _SIDES[feed]
    file = inbox / feed / f"day.{ending}"
    file.parent.mkdir(parents=True, exist_ok=True)
    with duckdb.connect() as connection:
        connection.execute("SET TimeZone = 'UTC'")
        connection.execute(
            f"CREATE TEMP VIEW numbered AS SELECT *, row_number AS n, {_FATE} AS fate FROM '{made_day / source}'"
        )
        connection.execute(f"COPY ({query.format()}) TO '{file}' {form}")
        counts = connection.execute(
            "SELECT count(*) FILTER (fate = 'published'), count(*) FILTER (fate = 'quarantined'),"
            " count(*) FILTER (fate = 'out_of_scope'), count(*) FILTER (n % 1000 = 107),"
            " coalesce(sum(amount_minor) FILTER (fate = 'published'), 0)::BIGINT FROM numbered"
        ).fetchall()
    [(published, quarantined, out_of_scope, duplicate, published_minor)] = counts
    rows = published + quarantined + out_of_scope + duplicate
    said = {"file": file.name, "rows": rows, "complete_through": COMPLETE_THROUGH.isoformat()}
    file.with_name(f"{file.name}.ctl").write_text(json.dumps(said))
    return {
        "rows": rows,
        "published": published,
        "quarantined": quarantined,
        "out_of_scope": out_of_scope,
        "duplicate": duplicate,
        "published_minor": published_minor,
    }
