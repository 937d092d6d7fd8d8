from pathlib import Path

import polars as pl

from benchmarks import day
from benchmarks.peers import by_hand

KEYS = ["reference", "account"]


def group_and_join(folder: Path, out: Path) -> None:
    """All of it in Polars' streaming engine."""
    told = pl.scan_parquet(folder / day.FOREIGN_CONFIRMATIONS).select(by_hand.COLUMNS)
    posted = pl.scan_parquet(folder / day.FOREIGN_ENTRIES).select(by_hand.COLUMNS)
    credited = posted.group_by(KEYS).agg(pl.col("amount_minor").sum().alias("credited_minor"))
    owed = (pl.col("amount_minor") - pl.col("credited_minor").fill_null(0)).alias("owed_minor")
    (
        told.join(credited, on=KEYS, how="left")
        .select("reference", owed)
        .filter(pl.col("owed_minor") > 0)
        .sink_parquet(out / by_hand.ANSWER, maintain_order=False, engine="streaming")
    )
