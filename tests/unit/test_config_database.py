import re
import tomllib
from pathlib import Path

import pytest

from reconcile.config import ConfigurationError

from .test_config import FLOW, build

QUERY = "SELECT * FROM entries WHERE posted_at >= :since AND posted_at < :until"
FEED = {
    "name": "ocs", "flow": "topup", "side": "ledger", "reader": "sql", "location": "postgresql+psycopg2://reader@db/charging",
    "query": QUERY, "completeness": {"kind": "snapshot"},
}  # fmt: skip


def read(**feed):
    given = {key: value for key, value in (FEED | feed).items() if value is not None}
    return build(flow=[FLOW], feed=[given]).feed("ocs")


@pytest.mark.parametrize(
    "query",
    [
        QUERY,
        f"  {QUERY} ; ",
        f"-- all of them; with a comment\n{QUERY}",
        f"WITH entries AS (SELECT * FROM moves) {QUERY}",
        f"({QUERY})",
        f"{QUERY} AND kind <> ';' AND posted_at::date > '2024-07-09 00:00'",
        f"{QUERY} AND note = $tag$ ; $tag$",
    ],
)
def test_any_one_select_between_the_bounds_is_a_query(query):
    assert read(query=query).query == query


@pytest.mark.parametrize(
    ("feed", "said"),
    [
        ({"query": None}, 'query: a feed with reader "sql" wants one'),
        ({"query": "SELECT 1"}, "query: wants :since"),
        ({"query": "SELECT 1 WHERE a >= :since"}, "query: wants :until, as in WHERE posted_at >= :since AND"),
        ({"query": "SELECT 1 WHERE a >= :since -- AND b < :until"}, "query: wants :until"),
        ({"query": f"{QUERY} AND b = :flow"}, "since and :until alone (found :flow; a plain colon is \\:)"),
        ({"query": f"{QUERY}; DROP TABLE entries"}, "query: one statement alone"),
        ({"query": f"DELETE FROM entries; {QUERY}"}, "query: one statement alone"),
        ({"query": "DELETE FROM a WHERE b BETWEEN :since AND :until"}, "query: a SELECT (found one that begins with 'DELETE')"),
        ({"query": " "}, "query: a SELECT (found one that begins with '')"),
        ({"location": "inbox/*.csv"}, "location: a SQLAlchemy URL such as"),
        ({"location": "postgresql://reader:hush@db/charging"}, "location: holds a password"),
        ({"location": "postgresql://db/charging?user=reader&PASSWORD=hush"}, "location: holds a password"),
        ({"location": "duckdb:///a"}, "location: a database of mariadb, mssql, mysql, oracle, postgresql, sqlite (found 'duckdb')"),
        ({"completeness": None}, 'completeness: what reader "sql" reads is complete by { kind = "snapshot"'),
        ({"completeness": {"kind": "delay"}}, "(found 'delay')"),
        ({"completeness": {"kind": "snapshot", "overlap": "10s"}}, "overlap: at least the commit_lag of 0:00:30 (found 0:00:10)"),
        ({"completeness": {"kind": "snapshot", "commit_lag": "0s"}}, "commit_lag: at least one second"),
        ({"side": "confirmation", "senders": ["MaxIt"], "columns": {"sender": ""}}, "senders: a feed without a column"),
        ({"reader": "csv", "completeness": None}, 'query: only a feed with reader "sql" has one'),
        ({"reader": "csv", "query": None}, 'completeness: only reader "sql" reads in a snapshot'),
        ({"reader": "csv", "query": None, "password": {"env": "A"}}, 'password: only a feed with reader "sql" has one'),
    ],
)  # fmt: skip
def test_what_cannot_work_is_refused_with_what_was_expected(feed, said):
    with pytest.raises(ConfigurationError) as caught:
        read(**feed)
    assert said in str(caught.value)
    assert "hush" not in str(caught.value)


def test_the_documented_example_is_a_feed():
    text = (Path(__file__).parents[2] / "docs" / "feeds.md").read_text()
    (example,) = [found for found in re.findall(r"```toml\n(.*?)```", text, re.DOTALL) if 'reader = "sql"' in found]
    assert build(flow=[FLOW], **tomllib.loads(example)).feed("ocs").completeness.kind == "snapshot"
