"""An operator whose days lie beyond the horizon: real deliveries, taken and folded by the real jobs."""

import itertools
import os
import shutil
import time
from collections import Counter
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from reconcile.desk import lake_file
from reconcile.jobs.fold_flow import fold_flow
from reconcile.jobs.housekeeping import housekeep
from reconcile.matching import dormant
from reconcile.reports.lake_rows import files_of, lake_rows, match_files
from reconcile.store.database import Database
from reconcile.store.embedded import EmbeddedPostgres
from tests.integration.feeds.conftest import Operator, entry, message

FIRST = datetime(2024, 7, 9, tzinfo=UTC)
LATE = FIRST + timedelta(days=20)
MOVED = LATE + timedelta(days=18)
NUMBERS = ("+2250707123456", "+2250101010101", "+2250505050505")
DELIVERIES = 6
_numbers = itertools.count(1)


class Town(Operator):
    """Two past days in three deliveries each, and one today; every purchase is credited."""

    def live(self):
        for number in range(DELIVERIES):
            self.trade(number, FIRST + timedelta(hours=8 * (number + 1)))
        self.trade(DELIVERIES, LATE)
        return self

    def trade(self, number, through):
        """One delivery on each feed: a purchase of each customer, an hour before it is complete."""
        self.at(through)
        at = through - timedelta(hours=1)
        told, posted = [], []
        for place, account in enumerate(NUMBERS):
            reference = f"RC{number}{place}.A00011"
            text = (
                f"Vous avez achete 1050 FCFA d'unites pour le {account[4:]}. Frais: 0 FCFA. Nouveau solde: 12340 FCFA. "
                f"ID Trans: {reference}."
            )
            told.append(message(f"M{number}-{place}", text, recipient=account, at=at.isoformat()))
            posted.append(
                entry(
                    f"E{number}-{place}", account=account, reference=reference,
                    at=(at + timedelta(seconds=3)).strftime("%Y-%m-%d %H:%M:%S"),
                )
            )  # fmt: skip
        self.messages(f"{number:03}.jsonl.gz", told, through=through)
        self.ledger(f"{number:03}.csv", posted, through=through)
        self.take("smsc")
        self.take("ocs")
        return self.fold()

    def move_on(self):
        """The first customer waits hours for a credit; then come quiet days."""
        bought, reference = LATE + timedelta(minutes=10), "RC990.A00011"
        text = f"Vous avez achete 500 FCFA d'unites pour le {NUMBERS[0][4:]}. Frais: 0 FCFA. Nouveau solde: 5 FCFA. ID Trans: {reference}."
        told = [message("W", text, recipient=NUMBERS[0], at=bought.isoformat())]
        credit = LATE + timedelta(hours=3)
        late = [
            entry("W", account=NUMBERS[0], amount="500", reference=reference, at=credit.strftime("%Y-%m-%d %H:%M:%S"))
        ]
        for hours, messages, lines in ((2, told, []), (4, [], late)):
            through = LATE + timedelta(hours=hours)
            self.at(through)
            self.messages(f"05{hours}.jsonl.gz", messages, through=through)
            self.ledger(f"05{hours}.csv", lines, through=through)
            self.take("smsc")
            self.take("ocs")
            self.fold()
        assert [row["status"] for row in self.query("select status from cases")] == ["closed"], "it came late"
        self.quiet_days()

    def quiet_days(self):
        """Eighteen days in which only the second customer buys, so that nothing of the others may be matched any more."""
        account = NUMBERS[1]
        for day in (9, 18):
            through = LATE + timedelta(days=day)
            self.at(through)
            at, reference = through - timedelta(hours=1), f"RCN{day}.A00011"
            text = (
                f"Vous avez achete 1050 FCFA d'unites pour le {account[4:]}. Frais: 0 FCFA. Nouveau solde: 5 FCFA. "
                f"ID Trans: {reference}."
            )
            posted = entry(f"N{day}", account=account, reference=reference, at=at.strftime("%Y-%m-%d %H:%M:%S"))
            self.ledger(f"1{day:02}.csv", [posted], through=through)
            told = message(f"N{day}", text, recipient=account, at=(at - timedelta(seconds=5)).isoformat())
            self.messages(f"1{day:02}.jsonl.gz", [told], through=through)
            self.take("smsc")
            self.take("ocs")
            self.fold()

    def fold(self):
        return fold_flow(self.world, "topup")

    def keep(self, **options):
        return {one.what: one for one in housekeep(self.world, **options)}

    def age(self):
        """Two days pass on the machine: whatever was written or retired is old now."""
        then = time.time() - 2 * 86_400
        for path in (self.folder / "lake").rglob("*"):
            os.utime(path, (then, then))
        with self.database.begin() as connection:
            connection.execute(sa.text("update retired_files set retired_at = retired_at - interval '2 days'"))

    def files(self):
        """Every file of the lake, by its path below it."""
        lake = self.folder / "lake"
        return sorted(path.relative_to(lake).as_posix() for path in lake.rglob("*") if path.is_file())

    def kinds(self):
        """How many files lie in each folder of the lake."""
        return dict(Counter(path.split("/")[0] for path in self.files()))

    def seen(self):
        """All that desk and reports read of the lake, by the questions that they ask."""
        world, found = self.world, []
        for account in NUMBERS:
            for bought in lake_file.purchases_of_account(world, account):
                found.append((bought, lake_file.purchases_by_reference(world, bought.reference) == [bought]))
                found.append(lake_file.entries_of(world, bought))
        for day in (FIRST, FIRST + timedelta(days=1), LATE - timedelta(days=1)):
            with self.database.begin() as connection:
                told = files_of(connection, world.lake, flow="topup", side="confirmation")
                posted = files_of(connection, world.lake, flow="topup", side="ledger")
                matches = match_files(connection, world.lake, flow="topup")
            until = {"begin": day, "until": day + timedelta(days=1)}
            found += [
                lake_rows(world.lake, "waits", told, entries=posted, matches=matches, **until),
                lake_rows(world.lake, "confirmed_minutes", told, **until),
                lake_rows(world.lake, "credited_minutes", posted, **until),
            ]
        return found

    def statements(self):
        return self.query("select flow, asset, day, verdict, lines from statements order by day")


@dataclass(frozen=True)
class Life:
    """A life lived once: a database to copy, and a folder. A fold's state names absolute paths, so each test finds the folder in
    the same place.
    """

    postgres: EmbeddedPostgres
    database: str
    folder: Path
    snapshot: Path

    def then(self, name: str, live) -> "Life":
        """Another life that begins as this one."""
        with self.again(name, keep=True) as town:
            live(town)
        snapshot = self.snapshot.with_name(f"{self.snapshot.name}-{name}")
        shutil.copytree(self.folder, snapshot)
        return replace(self, database=name, snapshot=snapshot)

    @contextmanager
    def again(self, name: str, *, keep: bool = False):
        shutil.rmtree(self.folder)
        shutil.copytree(self.snapshot, self.folder)
        database = Database(self.postgres.database(name, owner="reconcile", template=self.database))
        town = Town(self.folder, database)
        town.at(LATE)
        yield town
        database.dispose()
        if not keep:
            self.postgres.drop(name)


@pytest.fixture(autouse=True)
def _sleepy(monkeypatch: pytest.MonkeyPatch) -> None:
    """In this small town, too, whatever can sleep does."""
    monkeypatch.setattr(dormant, "AWAKE_MAX", -1)


@pytest.fixture(scope="session")
def lived(postgres: EmbeddedPostgres, _migrated: str, tmp_path_factory) -> Life:
    empty = Life(postgres, _migrated, tmp_path_factory.mktemp("town"), tmp_path_factory.mktemp("snapshot"))
    return empty.then("lived_town", Town.live)


@pytest.fixture(scope="session")
def moved(lived: Life) -> Life:
    return lived.then("moved_town", Town.move_on)


@pytest.fixture
def town(lived: Life):
    """The town on the day of its last delivery."""
    with lived.again(f"town_{next(_numbers)}") as town:
        yield town


@pytest.fixture
def moved_town(moved: Life):
    """The town when nothing of its first customer is within the horizon any more."""
    with moved.again(f"town_{next(_numbers)}") as town:
        town.at(MOVED)
        yield town
