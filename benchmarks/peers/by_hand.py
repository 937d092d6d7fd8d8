"""What a data engineer would write in an afternoon: the ledger summed by receipt and account, joined, what lacks money kept."""

from typing import Final

ANSWER: Final = "answer.parquet"
"""Where each writes whom it holds to be owed what: `reference`, `owed_minor`."""

COLUMNS: Final = ["reference", "account", "amount_minor"]

QUERY: Final = """
    SELECT c.reference, c.amount_minor - coalesce(e.credited_minor, 0) AS owed_minor
    FROM {confirmations} AS c
    LEFT JOIN (
        SELECT reference, account, sum(amount_minor)::BIGINT AS credited_minor FROM {entries} GROUP BY reference, account
    ) AS e USING (reference, account)
    WHERE c.amount_minor > coalesce(e.credited_minor, 0)"""
