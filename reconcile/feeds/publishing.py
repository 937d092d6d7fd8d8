"""From a landed delivery to a published batch, or to a refused one: what the job does with each."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from uuid import UUID

import sqlalchemy as sa

from reconcile.config import Feed, Flow, Numbering
from reconcile.domain.sequence import NumberRange
from reconcile.feeds import directory, manifest, ranges, watermark
from reconcile.feeds.confirmations import provider_of
from reconcile.feeds.control import Control, read_control
from reconcile.feeds.intake import Intake, Tally
from reconcile.feeds.landing import MAX_AHEAD
from reconcile.feeds.limits import Limits
from reconcile.feeds.manifest import Accepted, Earlier, Landed
from reconcile.feeds.numbering import Place, place_of, sequence_of
from reconcile.feeds.ranges import NodeRange
from reconcile.feeds.refusal import Refused
from reconcile.feeds.side import Side
from reconcile.feeds.staging import DISPOSITIONS, Span, Staging
from reconcile.feeds.usual import UNKNOWN, Usual, usual
from reconcile.store.database import Database
from reconcile.store.lake import Lake
from reconcile.store.scratch import scratch_folder


class OvertakenError(RuntimeError):
    """Another worker published rows of the same feed meanwhile; the batch stays landed, for the next run."""


@dataclass(frozen=True, slots=True)
class Basis:
    """What the fates of a batch's rows rest on: the keys it spans, and what was published that holds some of these."""

    span: Span | None
    compared_with: Earlier


@dataclass(frozen=True, slots=True)
class Publisher:
    """What judges the deliveries of one feed. `waiting`: names of deliveries that have begun and are not complete."""

    database: Database
    lake: Lake
    feed: Feed
    flow: Flow
    side: Side
    limits: Limits
    now: datetime
    waiting: Sequence[str]

    def judge(self, landed: Landed) -> str:
        """Publishes or refuses one landed batch; returns which. Raises `OvertakenError`."""
        with scratch_folder("feed") as scratch:
            through: datetime | None = None
            try:
                control = self._control(landed)
                through = control.complete_through if control else None
                self._publish(landed, control, scratch)
            except Refused as refusal:
                reason = f"{landed.source}: {refusal}"
                with self.database.begin() as connection:
                    manifest.refuse(
                        connection,
                        landed.batch_id,
                        reason=reason,
                        broken=refusal.broken,
                        complete_through=through,
                        now=self.now,
                    )
                return "refused"
        return "published"

    def _control(self, landed: Landed) -> Control | None:
        if landed.control_path is None:
            return None
        with self.lake.open(landed.control_path) as stream:
            control = read_control(stream.read(), Path(landed.source).name)
        if control.complete_through > self.now + MAX_AHEAD:
            raise Refused(
                f"the control file says that the feed is complete up to {control.complete_through}, which is far ahead"
            )
        return control

    def _publish(self, landed: Landed, control: Control | None, scratch: Path) -> None:
        intake = self.intake
        by_files = sequence_of(self.feed, "files")
        place = place_of(self.feed, by_files, landed.source) if by_files else None
        if place and place.through and place.through > self.now + MAX_AHEAD:
            raise Refused(f"its name says that it is complete up to {place.through}, which is far ahead")
        with Staging(scratch, self.side, self.lake) as staging:
            tally = intake.stage(self.local(landed.landed_path, scratch), staging)
            basis = self.compare(staging)
            numbers = self._numbers(staging, place)
            remark = intake.check(tally, staging, control, self._norm(control), accepted=landed.accepted)
            with self.database.begin() as connection:
                staging.count_as_duplicates(
                    manifest.repeated(connection, self.feed.name, staging.quarantined(self.limits.quarantined_rows))
                )
            path = self.write(landed.batch_id, landed.landed_path, staging, scratch)
            with self.database.begin() as connection:
                self.hold(connection, basis, landed.source)
                if place is not None:
                    ranges.refuse_taken(connection, self.feed, place)
                accepted = self.accepted(connection, landed.source, path, tally, staging, control, remark)
                manifest.publish(connection, self.feed, landed.batch_id, accepted, self.now)
                ranges.record(connection, self.feed, landed.batch_id, numbers)
                if self.feed.side == "directory":
                    said_at = control.complete_through if control else self.now
                    directory.upsert(connection, staging.published(), said_at)
                watermark.advance(connection, self.feed, self.waiting, self.now)

    def _norm(self, control: Control | None) -> Usual:
        if control is None:
            return UNKNOWN
        with self.database.begin() as connection:
            return usual(connection, self.feed, control.complete_through, zone=self.flow.zone, now=self.now)

    def _numbers(self, staging: Staging, place: Place | None) -> list[NodeRange]:
        """The numbers that the delivery brings; rows under a number of another row are kept back. Raises `Refused`."""
        completeness = self.feed.completeness
        if not isinstance(completeness, Numbering):
            return []
        if place is not None:
            newest = staging.newest() if place.through is None else None
            through = newest - completeness.disorder if newest else place.through
            return [NodeRange(place.node, NumberRange(place.number, place.number, through))]
        found = [
            NodeRange(node, NumberRange(first, last, newest and newest - completeness.disorder))
            for node, first, last, newest in staging.number_ranges(ranges.MAX_RANGES)
        ]
        if len(found) > ranges.MAX_RANGES:
            raise Refused(f"its rows' numbers have more than {ranges.MAX_RANGES} gaps", column="number")
        with self.database.begin() as connection:
            taken = ranges.taken(connection, self.feed, found)
            settled = manifest.held_keys(connection, self.feed.name)
        staging.keep_back_numbers([(one.node, one.numbers.first, one.numbers.last) for one in taken], settled)
        return found

    @property
    def intake(self) -> Intake:
        return Intake(self.feed, self.flow, self.side, self.now, self.limits)

    def compare(self, staging: Staging) -> Basis:
        """Gives each staged row its fate beside what other batches published; returns what that rests on."""
        span = staging.span()
        with self.database.begin() as connection:
            compared_with = self._overlapping(connection, span)
            withdrawn = manifest.withdrawn(connection, self.feed, span) if span is not None else []
        staging.judge([self.lake.url(path) for path in compared_with.files], compared_with.withdrawn)
        if self.feed.side == "confirmation":
            staging.doubt_second_readings([self.lake.url(path) for path in withdrawn])
        return Basis(span, compared_with)

    def hold(self, connection: sa.Connection, basis: Basis, source: str) -> None:
        """Until the transaction ends nobody else publishes for the feed. Raises `OvertakenError`."""
        manifest.hold(connection, self.feed.name)
        if self._overlapping(connection, basis.span) != basis.compared_with:
            raise OvertakenError(f"rows of {self.feed.name} were published while {source} was judged")

    def _overlapping(self, connection: sa.Connection, span: Span | None) -> Earlier:
        if span is None:
            return Earlier()
        return manifest.overlapping(connection, self.feed, span, self.now - self.flow.horizon)

    def local(self, path: str, scratch: Path) -> Path:
        """A landed file as one that can be read again and again without a network."""
        if self.lake.is_local:
            return Path(self.lake.url(path))
        copy = scratch / Path(path).name
        self.lake.fetch(path, copy)
        return copy

    def write(self, batch_id: UUID, landed_path: str, staging: Staging, scratch: Path) -> str | None:
        """Puts the published rows into the lake; None when there are none. Directory rows go into their table alone."""
        if staging.shares()["published"].rows == 0:
            return None
        if self.feed.side == "directory":
            return landed_path
        file = scratch / "published.parquet"
        variables = {"flow": self.flow.name, "feed": self.feed.name, "batch_id": str(batch_id)}
        if self.feed.side == "confirmation":
            variables["provider"] = provider_of(self.feed)
        staging.write(file, variables)
        path = f"published/{self.feed.name}/{batch_id}.parquet"
        self.lake.put(file, path)
        return path

    def accepted(
        self,
        connection: sa.Connection,
        source: str,
        path: str | None,
        tally: Tally,
        staging: Staging,
        control: Control | None,
        remark: str | None = None,
    ) -> Accepted:
        """What publishing the staged rows changes."""
        shares = staging.shares()
        units = sorted({*tally.money, *(unit for share in shares.values() for unit in share.money)})
        money = {
            unit: {"raw": tally.money[unit], **{fate: shares[fate].money.get(unit, 0) for fate in DISPOSITIONS}}
            for unit in units
        }
        # Invariant 10, in counts and in money: what was read is what became of it.
        assert tally.rows == sum(share.rows for share in shares.values()), f"{source}: rows were lost on the way"
        for unit, amounts in money.items():
            assert amounts["raw"] == sum(amounts[fate] for fate in DISPOSITIONS), (
                f"{source}: {unit} was lost on the way"
            )
        return Accepted(
            path=path,
            raw_rows=tally.rows,
            shares=shares,
            money=money,
            keys=staging.published_keys(),
            quarantined=staging.quarantined(self.limits.quarantined_rows),
            corrected_keys=staging.row_keys(manifest.held_keys(connection, self.feed.name)),
            complete_through=control.complete_through if control else None,
            remark=remark,
        )
