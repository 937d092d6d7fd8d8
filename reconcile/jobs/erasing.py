"""A customer's number leaves the system: every table, every file of the lake. What happened and its sums stay."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any, Final

import pyarrow.compute as pc
import sqlalchemy as sa

from reconcile.domain import ids
from reconcile.domain.phone import PhoneError, to_e164
from reconcile.domain.refusal import NotAllowedError
from reconcile.domain.traces import Traces
from reconcile.feeds import erasing
from reconcile.jobs import folding
from reconcile.jobs.housekeeping import LOCK, house_of
from reconcile.jobs.world import World
from reconcile.keeping import compaction, lake_traces, person, retired
from reconcile.keeping.garbage import FOLDERS, KEYS
from reconcile.matching import awakened, dormant, state
from reconcile.store import accounts, worker_lock
from reconcile.store.scratch import scratch_folder
from reconcile.store.tables import batches, run_batches, runs

STILL_MATCHED: Final = (
    "what was bought or credited within the horizon of the flow {flow} may still be matched: "
    "erase it when its feeds are complete {horizon} beyond the last of it, and no open case rests on it"
)
_ARRAYS: Final = ".npy"
"""The ending of files of digests and of our own numbers, which name nobody."""
_MET: Final = ("confirmation", "entry", "heard")
"""Tables of what sleeps whose rows are found by their keys."""
Progress = Callable[[int], None]
"""Told how many files have been looked at."""


class LeftOverError(RuntimeError):
    """Something still names the number. What could be erased is erased; run it again once the cause is gone."""


def e164(account: str) -> str:
    """The account in E.164, as it was given; raises `NotAllowedError`, which does not repeat it."""
    try:
        if account.startswith("+") and to_e164(account, "ZZ") == account:
            return account
    except PhoneError:
        pass
    raise NotAllowedError("the account must be a phone number in E.164: a plus sign, the country, no spaces")


def erase(world: World, account: str, *, reason: str, actor: str, progress: Progress | None = None) -> dict[str, int]:
    """Erases everything that names the number; returns how many rows and files it changed.

    Refused (`NotAllowedError`, with every reason) while money is under way, a case is open, a legal hold stands, or rows may
    still be matched. Killed at any moment, it is run again and does the rest. The audit keeps the number's keyed hash.
    """
    now, traces = world.clock.now(), Traces(e164(account))
    with worker_lock.held(world.database, LOCK), scratch_folder("erase") as scratch:
        with world.database.begin() as connection:
            name = accounts.pseudonym(connection, account)
            found = list(person.obstacles(connection, account, traces))
        erasure = _Erasure(world, account, name, traces, scratch, progress)
        files = list(erasure.find())
        found += erasure.obstacles(files)
        if found:
            raise NotAllowedError(f"nothing was erased: {'; '.join(found)}")
        with world.database.begin() as connection:
            person.begun(connection, account, actor=actor, reason=reason, now=now)
        counts = erasure.rewrite(files)
        with world.database.begin() as connection:
            counts |= person.erase(connection, account, traces)
        counts["removed files"] = erasure.remove_what_is_left()
        with world.database.begin() as connection:
            person.done(connection, account, actor=actor, reason=reason, now=now, counts=counts)
    return counts


@dataclass(frozen=True, slots=True)
class _Erasure:
    world: World
    account: str
    pseudonym: str
    traces: Traces
    scratch: Path
    progress: Progress | None

    def find(self) -> Iterator[str]:
        """Every file of the lake that names the number."""
        lake, looked_at = self.world.lake, 0
        for folder in (*FOLDERS, KEYS):
            for file in lake.find(folder):
                looked_at += 1
                if self.progress is not None:
                    self.progress(looked_at)
                if not file.path.endswith(_ARRAYS) and lake_traces.holds(self._local(file.path), self.traces):
                    yield file.path

    def obstacles(self, files: list[str]) -> Iterator[str]:
        """Rows that may still be matched, and deliveries that are not judged yet."""
        lake = self.world.lake
        folded = sa.exists().where(run_batches.c.batch_id == batches.c.batch_id)
        with self.world.database.begin() as connection:
            flows = list(connection.execute(sa.select(runs.c.flow).distinct()).scalars())
            pointers = {flow: folding.pointer(connection, flow) for flow in flows}
            unsettled = connection.execute(
                sa.select(sa.func.count()).where(
                    (batches.c.path.in_(files) & batches.c.side.in_(("confirmation", "ledger")) & ~folded)
                    | (batches.c.landed_path.in_(files) & (batches.c.status == "landed"))
                )
            ).scalar_one()
        for flow, pointer in pointers.items():
            assert pointer is not None, "a flow of a run has a newest run"
            needed = house_of(self.world).needed(flow)
            rows = [path for path in files if path.startswith(f"{pointer.path}/") and path.endswith(".parquet")]
            if (
                any(lake.url(path) in needed for path in files)
                or any(lake_traces.is_matched(self._local(path), self.account) for path in rows)
                or (self._sleeps(flow, files) and self._is_matched_asleep(pointer))
            ):
                yield STILL_MATCHED.format(
                    flow=flow, horizon=f"{self.world.configuration.flow(flow).horizon.days} days"
                )
        if unsettled:
            yield f"{unsettled} deliveries are not taken in yet"

    def rewrite(self, files: list[str]) -> dict[str, int]:
        """Puts other files in the place of those that rows name; one transaction each, the old file goes at once."""
        house = house_of(self.world, dry=False)
        # Folders of past runs are merged into files of matches, which name nobody.
        list(compaction.merge_runs(house, today_too=True))
        counts = {"landed files": 0, "published files": 0, "states": 0}
        with self.world.database.begin() as connection:
            landed = connection.execute(sa.select(batches).where(batches.c.landed_path.in_(files))).all()
            published = connection.execute(
                sa.select(batches.c.flow, batches.c.feed, batches.c.path)
                .where(batches.c.path.in_(files), batches.c.side != "directory")
                .distinct()
            ).all()
            flows = list(connection.execute(sa.select(runs.c.flow).distinct()).scalars())
        for batch in landed:
            counts["landed files"] += self._landed(batch)
        for row in published:
            counts["published files"] += self._published(row)
        for flow in flows:
            counts["states"] += self._state(flow, files)
        return counts

    def remove_what_is_left(self) -> int:
        """Removes the files that still name the number and that no row names; raises `LeftOverError` for any other."""
        lake, left = self.world.lake, list(self.find())
        count = 0
        for path in left:
            with worker_lock.held(self.world.database, retired.lock_of(path)):
                if self._is_kept(path):
                    raise LeftOverError(f"{path} still names the number: it came, or is named by a column, since")
                lake.remove(path)
            count += 1
        return count

    def _landed(self, batch: sa.Row[Any]) -> int:
        path = erasing.rewrite(
            self.world.configuration, self.world.lake, batch, self.traces, self.scratch, self.world.clock.now()
        )
        with (
            worker_lock.held(self.world.database, worker_lock.of_feed(batch.feed)),
            self.world.database.begin() as connection,
        ):
            switched = erasing.switch(connection, batch.batch_id, before=batch.landed_path, after=path)
            retired.retire(connection, [batch.landed_path])
        return int(switched)

    def _published(self, row: Any) -> int:
        file = PurePosixPath(row.path)
        erased = ids.derive("erased", row.path, self.pseudonym).hex[:8]
        path = str(file.with_name(f"{file.stem}-{erased}{file.suffix}"))
        self._rewrite(self._local(row.path), row.flow, path)
        with (
            worker_lock.held(self.world.database, worker_lock.of_feed(row.feed)),
            self.world.database.begin() as connection,
        ):
            changed = sa.update(batches).where(batches.c.path == row.path).values(path=path)
            count = connection.execute(changed).rowcount
            retired.retire(connection, [row.path])
        return int(count > 0)

    def _state(self, flow: str, files: list[str]) -> int:
        """The newest run's folder, and what sleeps, hold every verdict so far: all of it is copied awake, and the run names the copy."""
        world, lake = self.world, self.world.lake
        with worker_lock.held(world.database, worker_lock.of_flow(flow)), scratch_folder("erase") as scratch:
            with world.database.begin() as connection:
                pointer = folding.pointer(connection, flow)
            sleeps = self._sleeps(flow, files)
            if pointer is None or not (sleeps or any(path.startswith(f"{pointer.path}/") for path in files)):
                return 0
            whole = self._whole(pointer.path, scratch)
            if sleeps:
                keys = folding.keys_here(lake, whole, flow, scratch)
                awakened.write(whole, scratch / "awake", flow, keys=keys)
                whole = scratch / "awake"
            folder = f"runs/{flow}/{ids.derive('erased', pointer.path, self.pseudonym)}"
            for file in sorted(path for path in whole.rglob("*") if path.is_file()):
                target = f"{folder}/{file.relative_to(whole).as_posix()}"
                if lake_traces.holds(file, self.traces):
                    if lake_traces.is_matched(file, self.account):
                        raise LeftOverError(
                            f"rows of the number that may still be matched came to the flow {flow} since"
                        )
                    self._rewrite(file, flow, target)
                else:
                    lake.put(file, target)
            with world.database.begin() as connection:
                connection.execute(sa.update(runs).where(runs.c.run_id == pointer.run_id).values(path=folder))
                retired.retire(connection, [pointer.path])
        return 1

    def _sleeps(self, flow: str, files: list[str]) -> bool:
        """Whether segments that the newest state needs name the number."""
        return not house_of(self.world).needed_keys(flow).isdisjoint(files)

    def _is_matched_asleep(self, pointer: sa.Row[Any]) -> bool:
        """Whether rows of the account sleep that a new row may still meet."""
        with scratch_folder("erase") as scratch:
            previous = folding.state_here(self.world.lake, pointer, scratch, state.MANIFEST_FILES)
            keys = folding.keys_here(self.world.lake, previous, pointer.flow, scratch)
            sleepers = state.read(previous, pointer.flow).sleepers
            return any(
                pc.any(pc.equal(dormant.asleep(keys, sleepers, name)["account"], self.account)).as_py() for name in _MET
            )

    def _is_kept(self, path: str) -> bool:
        """Whether a row names the file, or the next fold needs it; the caller holds its lock."""
        folder, *rest = path.split("/")
        if folder == KEYS:
            return path in house_of(self.world).needed_keys(rest[0])
        with self.world.database.begin() as connection:
            return retired.keeps(connection, path)

    def _rewrite(self, source: Path, flow: str, target: str) -> None:
        written = self.scratch / "erased.parquet"
        lake_traces.rewrite(source, written, account=self.account, pseudonym=self.pseudonym, flow=flow)
        self.world.lake.put(written, target)

    def _whole(self, folder: str, scratch: Path) -> Path:
        """A folder of the lake as one on this machine."""
        lake = self.world.lake
        if lake.is_local:
            return Path(lake.url(folder))
        for file in list(lake.find(folder)):
            copy = scratch / "whole" / PurePosixPath(file.path).relative_to(folder)
            copy.parent.mkdir(parents=True, exist_ok=True)
            lake.fetch(file.path, copy)
        return scratch / "whole"

    def _local(self, path: str) -> Path:
        """A file of the lake as one on this machine; a copy of before is written over."""
        if self.world.lake.is_local:
            return Path(self.world.lake.url(path))
        copy = self.scratch / f"copy{''.join(PurePosixPath(path).suffixes[-2:])}"
        self.world.lake.fetch(path, copy)
        return copy
