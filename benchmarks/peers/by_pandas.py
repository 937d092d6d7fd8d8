from pathlib import Path

import pandas as pd

from benchmarks import day
from benchmarks.peers import by_hand

KEYS = ["reference", "account"]


def group_and_merge(folder: Path, out: Path) -> None:
    told = pd.read_parquet(folder / day.FOREIGN_CONFIRMATIONS, columns=by_hand.COLUMNS)
    posted = pd.read_parquet(folder / day.FOREIGN_ENTRIES, columns=by_hand.COLUMNS)
    credited = posted.groupby(KEYS, sort=False)["amount_minor"].sum().rename("credited_minor").reset_index()
    merged = told.merge(credited, on=KEYS, how="left")
    merged["owed_minor"] = merged["amount_minor"] - merged["credited_minor"].fillna(0).astype("int64")
    merged.loc[merged["owed_minor"] > 0, ["reference", "owed_minor"]].to_parquet(out / by_hand.ANSWER, index=False)
