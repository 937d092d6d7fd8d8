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
    Of purchases of one account and amount it does not matter which is said to lack its credit; how many do, does.
    """

    missed: int
    invented: int
    paid_twice: int
    twice_minor: int
    short: int


def wrong(folder: Path, answer: str) -> Wrong:
    """Compares the rows of the query `answer` (`reference`, `owed_minor`) with the truth about a day."""
    with duckdb.connect() as connection:
        [row] = connection.execute(
            f"""
            WITH said AS (SELECT reference, sum(owed_minor)::BIGINT AS said FROM ({answer}) WHERE owed_minor > 0 GROUP BY reference),
            differing AS (
                SELECT reference, coalesce(said, 0) AS said, coalesce(owed_minor, 0) AS lacks
                FROM said FULL JOIN '{folder / day.TRUTH}' USING (reference) WHERE said IS DISTINCT FROM owed_minor
            ),
            of_account AS (
                SELECT account, greatest(said, lacks) AS minor,
                    count(*) FILTER (said = 0) - count(*) FILTER (lacks = 0) AS missing,
                    count(*) FILTER (said > lacks AND lacks > 0) AS too_much,
                    sum(said - lacks) FILTER (said > lacks AND lacks > 0) AS too_much_minor,
                    count(*) FILTER (said > 0 AND said < lacks) AS short
                FROM differing LEFT JOIN '{folder / day.FOREIGN_CONFIRMATIONS}' USING (reference) GROUP BY ALL
            )
            SELECT sum(greatest(missing, 0)), sum(greatest(-missing, 0)), sum(greatest(-missing, 0) + too_much),
                sum(greatest(-missing, 0) * minor + coalesce(too_much_minor, 0)), sum(short)
            FROM of_account"""
        ).fetchall()
    return Wrong(*(int(figure or 0) for figure in row))
