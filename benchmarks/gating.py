"""How many rows a second a feed's job takes, from the delivered file to the published batch: `python -m benchmarks.gating FEED DAY`."""

import argparse
import json
import shutil
import sys
import tempfile
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

from benchmarks import deliveries
from benchmarks.measured import measured
from benchmarks.running import medians
from benchmarks.running import run as run_program
from benchmarks.stopwatch import Stopwatch
from reconcile import config
from reconcile.domain.clock import FixedClock
from reconcile.jobs.take_feed import take_feed
from reconcile.jobs.world import World
from reconcile.store import migrate
from reconcile.store.database import Database
from reconcile.store.embedded import EmbeddedPostgres
from reconcile.store.lake import Lake

FEEDS: Final = {"ocs": "a ledger, CSV", "smsc": "messages, JSON lines"}
STEPS: Final = {
    "reconcile.feeds.landing:Landing.land": "landing: copying, digest, what is never kept",
    "reconcile.feeds.intake:Intake.stage": "unpacking and cutting into cells",
    "reconcile.feeds.entries:Entries.read": "normalising ledger rows",
    "reconcile.feeds.confirmations:Confirmations.read": "normalising messages",
    "reconcile.feeds.messages.catalogue:Catalogue.read_batch": "reading messages",
    "reconcile.feeds.intake:Intake._broken": "frames for the gate",
    "reconcile.feeds.gate:examine": "Great Expectations",
    "reconcile.feeds.staging:Staging.add": "staging in DuckDB",
    "reconcile.feeds.staging:Staging.judge": "duplicates",
    "reconcile.feeds.staging:Staging.write": "writing what is published",
}


def measure(made_day: Path, runs: int) -> list[dict[str, Any]]:
    rows = []
    for feed, title in FEEDS.items():
        command = [sys.executable, "-m", "benchmarks.gating", feed, str(made_day)]
        found = [json.loads(run_program(command)) for _ in range(runs)]
        row = medians(found)
        rows.append({"feed": feed, "title": title, "runs": runs, **row, "rate": row["rows"] / row["seconds"]})
    return rows


def run(feed: str, made_day: Path, folder: Path, database_url: str) -> dict[str, Any]:
    """What taking one delivery cost, and what became of its rows beside what must; `wrong` is the sum of all differences."""
    wanted = deliveries.write(feed, made_day, folder / "inbox")
    database = Database(database_url)
    world = World(
        configuration=config.build(deliveries.CONFIGURATION, home=folder, source="the benchmark"),
        database=database,
        lake=Lake(str(folder / "lake")),
        clock=FixedClock(deliveries.COMPLETE_THROUGH),
    )
    cost = measured(lambda: take_feed(world, feed), Stopwatch(STEPS))
    with database.begin() as connection:
        [batch] = connection.exec_driver_sql("SELECT * FROM batches").mappings().all()
    database.dispose()
    found = {fate: batch[f"{fate}_rows"] or 0 for fate in ("published", "quarantined", "out_of_scope", "duplicate")}
    found["published_minor"] = (batch["money"] or {}).get("XOF", {}).get("published", 0)
    differences = {f"wrong_{name}": abs(found[name] - wanted[name]) for name in found}
    return {**asdict(cost), "rows": wanted["rows"], **found, "wrong": sum(differences.values())}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("feed", choices=FEEDS)
    parser.add_argument("day", type=Path)
    arguments = parser.parse_args()
    # Not in a folder of ours: started by root the server is somebody else, who may not enter it.
    home = Path(tempfile.mkdtemp(prefix="reconcile-benchmark-"))
    home.chmod(0o711)
    server = EmbeddedPostgres(home)
    try:
        url = server.start()
        database = Database(url)
        migrate.upgrade(database)
        database.dispose()
        print(json.dumps(run(arguments.feed, arguments.day, home / "world", url)))
    finally:
        server.destroy()
        shutil.rmtree(home)


if __name__ == "__main__":
    main()
