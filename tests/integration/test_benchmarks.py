"""The benchmarks say the truth about answers, at sizes at which their seconds mean nothing."""

import json
import re
from itertools import pairwise
from pathlib import Path
from xml.etree import ElementTree as ET

import duckdb
import pytest

from benchmarks import answer, day, gating, growth, history, job, messages, pages, running
from benchmarks.__main__ import PARTS, main
from benchmarks.highest import Highest, spilled_bytes
from benchmarks.targets import Target

ROWS = 2_000
# Spark takes as long to start as all else here; that it says the same is what its own tests are for.
HERE = [name for name, one in job.JOBS.items() if not one.is_peer and name != "spark"]
ELSEWHERE = [name for name, one in job.JOBS.items() if one.is_peer]
HEAD = {
    "command": "",
    "at": "",
    "commit": "",
    "load": 0,
    "cores": 2,
    "processor": "",
    "memory_gigabytes": 1,
    "system": "",
    "versions": {},
}
PAGE = Path(__file__).parents[2] / "docs" / "benchmarks.md"


@pytest.fixture(scope="module")
def made_day(tmp_path_factory):
    return day.made(tmp_path_factory.mktemp("day"), ROWS, seed=1)


def count(query):
    with duckdb.connect() as connection:
        [(found,)] = connection.execute(query).fetchall()
    return found


def expected(name, made_day):
    """What each must get wrong, from the files themselves: missed, invented."""
    truth, entries = made_day / day.TRUTH, made_day / day.FOREIGN_ENTRIES
    unnamed = count(f"SELECT count(*) FROM '{entries}' WHERE reference IS NULL")
    if name in {"published", "foreign", "page"}:
        return 0, 0
    if name in {"raw-join", "key-join", "written-pairs"}:
        return count(f"SELECT count(*) FROM '{truth}' SEMI JOIN '{entries}' USING (reference)"), unnamed
    taken_back = f"SELECT reference FROM '{entries}' WHERE amount_minor < 0"
    return (count(f"SELECT count(*) FROM ({taken_back})") if name == "datacompy" else 0), unnamed


@pytest.mark.parametrize("name", HERE)
def test_a_job_says_how_wrong_its_answer_is(name, made_day, tmp_path):
    found = job.run(name, made_day, tmp_path)
    missed, invented = expected(name, made_day)
    assert (found["missed"], found["invented"], found["paid_twice"], found["short"]) == (missed, invented, invented, 0)
    assert min(found["seconds"], found["peak_bytes"]) > 0
    assert bool(found["steps"]) == bool(job.JOBS[name].steps)


@pytest.mark.parametrize("name", ELSEWHERE)
@pytest.mark.skipif(not running.PEERS.exists(), reason="the peers are not installed: `make bench` does it")
def test_a_peer_says_how_wrong_its_answer_is(name, made_day):
    [found] = running.measure([name], made_day, runs=1)
    missed, invented = expected(name, made_day)
    assert (found["missed"], found["invented"], found["paid_twice"], found["short"]) == (missed, invented, invented, 0)


def test_the_day_has_its_faults(made_day):
    assert expected("raw-join", made_day)[0] > 0
    assert expected("raw-join", made_day)[1] > 0
    assert expected("datacompy", made_day)[0] > 0


def test_an_answer_may_be_wrong_in_four_ways(tmp_path):
    told = "('A', '+1', 100), ('B', '+1', 100), ('C', '+1', 100), ('D', '+1', 100), ('X', '+2', 70), ('Y', '+2', 5)"
    lacking = "('A', 100), ('B', 100), ('C', 100), ('D', 100)"
    said = "('A', 100), ('B', 150), ('C', 90), ('X', 70), ('Y', -5)"
    assert judged(tmp_path, told, lacking, said) == answer.Wrong(
        missed=1, invented=1, paid_twice=2, twice_minor=50 + 70, short=1
    )


def test_which_of_two_identical_purchases_is_owed_does_not_matter_but_how_many(tmp_path):
    told = "('A', '+1', 100), ('B', '+1', 100), ('C', '+2', 100), ('D', '+1', 200)"
    nothing = answer.Wrong(missed=0, invented=0, paid_twice=0, twice_minor=0, short=0)
    assert judged(tmp_path, told, "('A', 100)", "('B', 100)") == nothing
    for other in ("('C', 100)", "('D', 200)"):
        assert judged(tmp_path, told, "('A', 100)", other).missed == 1
    both = judged(tmp_path, told, "('A', 100)", "('A', 100), ('B', 100)")
    assert both == answer.Wrong(missed=0, invented=1, paid_twice=1, twice_minor=100, short=0)


def judged(folder, told, lacking, said):
    with duckdb.connect() as connection:
        for name, rows, columns in (
            (day.FOREIGN_CONFIRMATIONS, told, "reference, account, amount_minor"),
            (day.TRUTH, lacking, "reference, owed_minor"),
        ):
            query = f"SELECT * FROM (VALUES {rows}) AS t({columns})"
            connection.execute(f"COPY ({query}) TO '{folder / name}' (FORMAT parquet)")
    return answer.wrong(folder, f"SELECT * FROM (VALUES {said}) AS t(reference, owed_minor)")


@pytest.mark.parametrize("feed", gating.FEEDS)
def test_each_row_of_a_delivery_becomes_what_it_must(feed, made_day, tmp_path, database_url):
    found = gating.run(feed, made_day, tmp_path, database_url)
    assert (found["wrong"], found["quarantined"], found["out_of_scope"], found["duplicate"]) == (0, 6, 20, 2)
    assert "Great Expectations" in found["steps"]


def test_messages_are_read_as_they_were_written_and_a_wrong_reading_is_seen(tmp_path):
    from io import StringIO

    from reconcile.feeds.messages.lines import parse_stream

    lines, truth = messages.write(tmp_path, 400, "", seed=1)
    sink = StringIO()
    with lines.open("rb") as source:
        parse_stream(source, sink, processes=1)
    readings = tmp_path / "readings.jsonl"
    readings.write_text(sink.getvalue())
    found = messages.compared(readings, truth)
    assert (found["wrong_amounts"], found["wrong_references"], found["lines"]) == (0, 0, 400)
    assert found["right"] > 390

    first, second, *rest = [json.loads(line) for line in sink.getvalue().splitlines()]
    first["amount"], second["amount"] = "1234567890", None
    readings.write_text("".join(json.dumps(row) + "\n" for row in (first, second, *rest)))
    changed = {"right": found["right"] - 2, "abstained": found["abstained"] + 1, "wrong_amounts": 1}
    assert messages.compared(readings, truth) == {**found, **changed}


def test_the_command_prints_a_table_and_keeps_what_it_measured(tmp_path, capsys):
    jobs = ["--rows", str(ROWS), "--runs", "1", "--jobs", "raw-join", "published"]
    arguments = ["match", *jobs, "--folder", str(tmp_path / "data"), "--results", str(tmp_path)]
    main(arguments)
    printed = capsys.readouterr().out
    assert "reconcile: published batches" in printed
    main(["tables", "--results", str(tmp_path)])
    assert capsys.readouterr().out == printed
    result = json.loads((tmp_path / "match.json").read_text())
    assert [row["job"] for row in result["rows"]] == ["raw-join", "published"]
    assert result["command"] == f"python -m benchmarks match {' '.join(jobs)}"


def test_a_job_that_fails_is_a_row_that_says_so(made_day, monkeypatch):
    monkeypatch.setattr(running, "PEERS", made_day / "no such program")
    [row] = running.measure(["polars"], made_day, runs=2)
    assert row["failed"] == "not installed; `make bench` does it"
    raw = {"job": "raw-join", "title": "bare", "failed": "too slow"}
    assert "failed: not installed" in pages.match({**HEAD, "rows": [raw, row]})


def test_the_picture_of_growth_is_an_svg_with_a_line_for_each_job():
    rows = [
        {"rows": size, "job": name, "seconds": size / 1e6} for size in (1_000_000, 5_000_000) for name in growth.JOBS
    ]
    picture = ET.fromstring(growth.picture(rows))  # noqa: S314 - our own text
    assert len(picture.findall("{http://www.w3.org/2000/svg}polyline")) == len(growth.JOBS)
    named_at = sorted(
        float(name.get("y", ""))
        for name in picture.findall("{http://www.w3.org/2000/svg}text[@fill]")
        if name.get("fill") != "#374151"
    )
    assert all(low - high >= 15 for high, low in pairwise(named_at)), "lines that end at one place are named apart"


def test_what_spills_to_disk_is_seen(made_day, tmp_path):
    (tmp_path / "scratch-1").mkdir()
    with Highest(lambda: spilled_bytes(tmp_path)) as seen:
        (tmp_path / "scratch-1" / "a.tmp").write_bytes(bytes(1000))
    assert seen.value == 1000
    found = job.run("published", made_day, tmp_path, memory_limit="1GB")
    assert (found["missed"], found["invented"], found["short"]) == (0, 0, 0)


def test_what_is_owed_at_an_instant_is_compared_with_the_history_up_to_it(tmp_path):
    rows = list(history.measure(tmp_path, rows_a_day=28_800, days=[1], runs=2, seed=1))
    assert [(row["days"], row["runs"], row["wrong"]) for row in rows] == [(1, 2, 0)]
    out = tmp_path / f"run-{history.SLOTS_A_DAY + 2:06d}"
    # Five minutes later some more would be owed.
    assert history.wrong(out, 28_800, 1, history.SLOTS_A_DAY + 3) > 0


def test_a_target_is_kept_from_its_side():
    slow = Target("seconds", 2.0, 1.0, "s", lambda _: None)
    assert [slow.verdict(figure) for figure in (0.9, 1.5, 2.5)] == ["aim reached", "reached", "**not reached**"]
    rate = Target("rate", 10, None, "", lambda _: None, more_is_better=True)
    assert [rate.verdict(figure) for figure in (12, 9)] == ["reached", "**not reached**"]


def test_the_page_has_a_place_for_each_table():
    page = PAGE.read_text()
    for name in (*PARTS, "machine", "targets"):
        assert len(re.findall(f"<!-- /?{name} -->", page)) == 2
    assert pages.rewritten(page, {"gate": "new"}).count("<!-- gate -->\n\nnew\n<!-- /gate -->") == 1
    assert pages.rewritten(page, {"gate": r"a\1b"}).count(r"a\1b") == 1
    with pytest.raises(ValueError, match="0 places for nothing"):
        pages.rewritten(page, {"nothing": "new"})


def test_the_page_shows_the_picture_that_is_written_beside_it(tmp_path):
    page = tmp_path / "page.md"
    page.write_text(PAGE.read_text())
    row = {"rows": 1_000_000, "job": "raw-join", "title": "bare", "seconds": 1.0, "cpu_seconds": 1.0, "peak_bytes": 1e9}
    answered = {"spilled_bytes": 0, "missed": 0, "invented": 0, "short": 0, "runs": 1}
    pages.write(page, {"growth": {**HEAD, "rows": [{**row, **answered}]}})
    assert "](page.svg)" in page.read_text()
    ET.parse(tmp_path / "page.svg")  # noqa: S314 - our own text
