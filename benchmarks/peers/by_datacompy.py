from pathlib import Path

import datacompy
import pandas as pd

from benchmarks import day
from benchmarks.peers import by_hand


def compare(folder: Path, out: Path) -> None:
    """Rows that only one side has, and rows of both with another amount, as its report names them."""
    told = pd.read_parquet(folder / day.FOREIGN_CONFIRMATIONS, columns=by_hand.COLUMNS)
    posted = pd.read_parquet(folder / day.FOREIGN_ENTRIES, columns=by_hand.COLUMNS)
    found = datacompy.PandasCompare(told, posted, join_columns=["reference", "account"])
    only_told = found.df1_unq_rows.rename(columns={"amount_minor": "owed_minor"})
    differing = found.all_mismatch()
    differing["owed_minor"] = differing["amount_minor_df1"] - differing["amount_minor_df2"]
    columns = ["reference", "owed_minor"]
    pd.concat([only_told[columns], differing[columns]]).to_parquet(out / by_hand.ANSWER, index=False)
