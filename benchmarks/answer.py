"""How wrong an answer to "who is owed what" is. Speed without it says nothing."""

from dataclasses import dataclass
from pathlib import Path

import duckdb

from benchmarks import day


@dataclass(frozen=True, slots=True)
class Wrong:
    """Purchases that an answer gets wrong, if everybody were given what it says.

    `missed`: lack money, and it says nothing. `invented`: lack nothing, and it says they do. `paid_twice`: would get more than
    they lack (the invented ones among them), by `twice_minor` in all. `short`: would get less than they lack, and something.
    """

    missed: int
    invented: int
    paid_twice: int
    twice_minor: int
    short: int


def wrong(folder: Path, answer: str) -> Wrong:
    """Compares the rows of the query `answer` (`reference`, `owed_minor`) with the truth about a day."""
    query = f"""
        WITH said AS (SELECT reference, sum(owed_minor) AS said FROM ({answer}) WHERE owed_minor > 0 GROUP BY reference),
        both_sides AS (
            SELECT coalesce(said, 0) AS said, coalesce(owed_minor, 0) AS lacks
            FROM said FULL JOIN '{folder / day.TRUTH}' USING (reference)
        )
        SELECT count(*) FILTER (said = 0), count(*) FILTER (lacks = 0), count(*) FILTER (said > lacks),
            coalesce(sum(said - lacks) FILTER (said > lacks), 0)::BIGINT, count(*) FILTER (said > 0 AND said < lacks)
        FROM both_sides"""
    with duckdb.connect() as connection:
        [row] = connection.execute(query).fetchall()
    return Wrong(*row)
