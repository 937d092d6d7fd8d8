"""Rows that were delivered before, read again through today's configuration and templates.

What they say now is published as a batch of its own; the landed file and the batch that it was stay as they are.
"""

import hashlib
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final
from uuid import UUID

import sqlalchemy as sa

from reconcile.domain import ids
from reconcile.domain.refusal import NotAllowedError
from reconcile.feeds import directory, manifest, ranges
from reconcile.feeds.intake import Tally
from reconcile.feeds.publishing import Basis, OvertakenError, Publisher
from reconcile.feeds.refusal import Refused
from reconcile.feeds.staging import DISPOSITIONS, QuarantinedRow, Staging
from reconcile.store import audit
from reconcile.store.scratch import scratch_folder
from reconcile.store.tables import quarantine

_MAY_BE_READ: Final = frozenset({"published", "withdrawn"})


@dataclass(frozen=True, slots=True)
class Replay:
    """`batch_id`: what the rows became, or None where nothing came of them. `counts`: disposition → rows; `released`: rows
    that left the quarantine.
    """

    batch_id: UUID | None
    counts: dict[str, int]
    released: int


@dataclass(frozen=True, slots=True)
class Replayer:
    """Reads rows of one feed again. `actor` and `reason` are for the audit."""

    publisher: Publisher
    actor: str
    reason: str

    def replay(self, original: sa.Row[Any], only: frozenset[int] | None) -> Replay:
        """Reads the rows of a batch again, all of them or those numbered in `only`.

        Rows that are published elsewhere are duplicates; rows that are still bad stay in quarantine, with today's reason.
        Raises `NotAllowedError` when the batch cannot be read again, and `OvertakenError`.
        """
        if original.status not in _MAY_BE_READ:
            raise NotAllowedError(f"batch {original.batch_id} is {original.status}: have it delivered again")
        if original.status == "withdrawn" and only is not None:
            raise NotAllowedError(f"batch {original.batch_id} was withdrawn: read all of it again, or none")
        publisher = self.publisher
        with scratch_folder("feed") as scratch, Staging(scratch, publisher.side, publisher.lake) as staging:
            try:
                path = publisher.local(original.landed_path, scratch)
                tally = publisher.intake.stage(path, staging, only)
                basis = publisher.compare(staging)
                if only is None:
                    publisher.intake.check(tally, staging, None)
            except FileNotFoundError as error:
                raise NotAllowedError(
                    f"the landed copy of {original.source} is gone: have it delivered again"
                ) from error
            except Refused as refusal:
                raise NotAllowedError(f"{original.source}: {refusal}") from refusal
            return self._commit(original, only, tally, staging, basis, scratch)

    def _commit(
        self,
        original: sa.Row[Any],
        only: frozenset[int] | None,
        tally: Tally,
        staging: Staging,
        basis: Basis,
        scratch: Path,
    ) -> Replay:
        publisher = self.publisher
        still_bad = staging.quarantined(publisher.limits.quarantined_rows)
        with publisher.database.begin() as connection:
            staging.count_as_duplicates(manifest.repeated(connection, publisher.feed.name, still_bad))
        counts = {name: share.rows for name, share in staging.shares().items()}
        batch_id = self._batch_id(original, only)
        path = publisher.write(batch_id, original.landed_path, staging, scratch)
        with publisher.database.begin() as connection:
            publisher.hold(connection, basis, original.source)
            held = _held(connection, original.batch_id)
            if only is not None and not only <= held:
                raise OvertakenError(f"rows of {original.source} left the quarantine meanwhile")
            released = (held if only is None else only) - {row.row_number for row in still_bad}
            _explain(connection, original.batch_id, still_bad)
            if not released and counts["published"] == 0 and counts["quarantined"] == 0:
                return Replay(None, counts, 0)
            _release(connection, original.batch_id, released, publisher)
            source = original.source
            manifest.land(
                connection,
                publisher.feed,
                batch_id,
                source=source,
                mark=f"replay {batch_id}",
                sha256=hashlib.sha256(str(batch_id).encode()).hexdigest(),
                landed_path=original.landed_path,
                complete_through=None,
                now=publisher.now,
            )
            accepted = publisher.accepted(connection, source, path, tally, staging, None)
            if original.status == "withdrawn":  # it stands in the other's place, and so proves its period
                accepted = replace(accepted, complete_through=original.complete_through)
            manifest.publish(connection, publisher.feed, batch_id, accepted, publisher.now)
            if original.status == "withdrawn":
                ranges.hand_on(connection, original.batch_id, batch_id)
            if publisher.feed.side == "directory":
                directory.upsert(connection, staging.published(), original.complete_through or original.landed_at)
            self._record(connection, original.batch_id, batch_id, counts, len(released))
        return Replay(batch_id, counts, len(released))

    def _batch_id(self, original: sa.Row[Any], only: frozenset[int] | None) -> UUID:
        rows = "all" if only is None else ",".join(map(str, sorted(only)))
        return ids.derive("replay", str(original.batch_id), rows, self.publisher.now.isoformat())

    def _record(
        self, connection: sa.Connection, original_id: UUID, batch_id: UUID, counts: dict[str, int], released: int
    ) -> None:
        audit.record(
            connection,
            at=self.publisher.now,
            actor=self.actor,
            action="rows_replayed",
            subject=("batch", str(original_id)),
            reason=self.reason,
            evidence={
                "became": str(batch_id),
                "released_rows": released,
                **{name: counts[name] for name in DISPOSITIONS},
            },
        )


def _held(connection: sa.Connection, batch_id: UUID) -> frozenset[int]:
    query = sa.select(quarantine.c.row_number).where(quarantine.c.batch_id == batch_id, quarantine.c.status == "held")
    return frozenset(connection.execute(query.with_for_update()).scalars())


def _release(connection: sa.Connection, batch_id: UUID, numbers: AbstractSet[int], publisher: Publisher) -> None:
    """Rows that say something now wait no longer."""
    connection.execute(
        sa.update(quarantine)
        .where(
            quarantine.c.batch_id == batch_id,
            quarantine.c.row_number == sa.any_(sa.literal(sorted(numbers), sa.ARRAY(sa.BigInteger))),
        )
        .values(status="replayed", resolved_at=publisher.now)
    )


def _explain(connection: sa.Connection, batch_id: UUID, still_bad: list[QuarantinedRow]) -> None:
    """What keeps the others back today, and whom they may be about if that can be read today."""
    if not still_bad:
        return
    connection.execute(
        sa.update(quarantine)
        .where(
            quarantine.c.batch_id == batch_id,
            quarantine.c.row_number == sa.bindparam("number"),
            quarantine.c.status == "held",
        )
        .values(
            reason=sa.bindparam("why"),
            column_name=sa.bindparam("column"),
            account=sa.func.coalesce(quarantine.c.account, sa.bindparam("whose", type_=sa.Text)),
            reference=sa.func.coalesce(quarantine.c.reference, sa.bindparam("receipt", type_=sa.Text)),
        ),
        [
            {
                "number": row.row_number, "why": row.reason, "column": row.column_name, "whose": row.account,
                "receipt": row.reference,
            }
            for row in still_bad
        ],
    )  # fmt: skip
