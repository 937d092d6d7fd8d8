"""What arrived, copied into the lake before anything else is done with it, and never changed."""

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path, PurePosixPath
from typing import Final
from uuid import UUID

from reconcile.config import Feed
from reconcile.domain import ids
from reconcile.feeds import manifest
from reconcile.feeds.control import complete_through
from reconcile.feeds.inbox import Delivery, Inbox
from reconcile.feeds.limits import Limits
from reconcile.feeds.numbering import sequence_of
from reconcile.feeds.readers.lines import packing
from reconcile.feeds.refusal import Refused
from reconcile.feeds.withholding import copy_listed
from reconcile.store.database import Database
from reconcile.store.lake import Lake

MAX_AHEAD: Final = timedelta(days=1)
"""A delivery that is complete up to a moment that has not come yet is left lying until it comes. One that says more than
this ahead is taken, to be refused: no wait would make it true.
"""
_COPY_BYTES: Final = 1 << 20


class NotYet(Exception):  # noqa: N818 - not an error: the delivery is for later
    """A delivery says that it is complete up to a moment that has not come yet, or changed while it was being copied."""


@dataclass(frozen=True, slots=True)
class Landing:
    """How the deliveries of one feed are landed. `now` is business time."""

    database: Database
    lake: Lake
    inbox: Inbox
    feed: Feed
    limits: Limits
    now: datetime

    def land(self, delivery: Delivery, scratch: Path) -> UUID | None:
        """Copies one delivery into the lake and records it, once for the same bytes. Raises `NotYet`.

        A delivery that cannot be copied whole, or of which it cannot be told whose messages it holds, is refused and not
        copied at all; returns the batch of such a one, None otherwise.
        """
        control = self._control(delivery)
        through = complete_through(control)
        if through is not None and self.now < through <= self.now + MAX_AHEAD:
            raise NotYet
        sha256, path, reason = self._copy(delivery, control, scratch)
        batch_id = ids.batch_id(self.feed.name, sha256)
        with self.database.begin() as connection:
            manifest.land(
                connection,
                self.feed,
                batch_id,
                source=delivery.source,
                mark=delivery.mark,
                sha256=sha256,
                landed_path=path or "",
                complete_through=through,
                now=self.now,
            )
            if reason:
                manifest.refuse(
                    connection, batch_id, reason=f"{delivery.source}: {reason}", complete_through=through, now=self.now
                )
        return batch_id if reason else None

    def _control(self, delivery: Delivery) -> bytes | None:
        """The control file, cut off at its limit: one that is longer will not be understood, and so be refused."""
        if delivery.control_path is None:
            return None
        with self.inbox.open(delivery.control_path) as stream:
            return stream.read(self.limits.control_bytes)

    def _copy(self, delivery: Delivery, control: bytes | None, scratch: Path) -> tuple[str, str | None, str | None]:
        """(SHA-256 of the delivery, path of its copy, or None and why there is none).

        The SHA-256 is that of the data file followed by its control file, or by its name where that bears a number: an hour
        without entries is delivered as the same empty file as the hour before, and is another delivery.
        """
        too_large = f"is larger than {self.limits.file_bytes} bytes"
        if delivery.size > self.limits.file_bytes:
            return hashlib.sha256(f"{delivery.source} {delivery.mark}".encode()).hexdigest(), None, too_large
        packed = packing(delivery.source)
        copy = scratch / f"delivered{packed}"
        digest = hashlib.sha256()
        with self.inbox.open(delivery.path) as source, copy.open("wb") as sink:
            while chunk := source.read(_COPY_BYTES):
                digest.update(chunk)
                sink.write(chunk)
                if sink.tell() > self.limits.file_bytes:
                    return digest.hexdigest(), None, too_large
        if copy.stat().st_size != delivery.size or not self.inbox.is_unchanged(delivery):
            raise NotYet
        digest.update(control or b"")
        if sequence_of(self.feed, "files"):
            digest.update(PurePosixPath(delivery.source).name.encode())
        sha256 = digest.hexdigest()
        if self.feed.senders:
            delivered, copy = copy, scratch / f"listed{packed}"
            try:
                copy_listed(delivered, copy, self.feed, self.limits)
            except Refused as refusal:
                return sha256, None, str(refusal)
        path = f"landed/{self.feed.name}/{sha256[:2]}/{sha256}.{self.feed.file_format}{packed}"
        self.lake.put(copy, path)
        if control is not None and self.feed.control_suffix is not None:
            (scratch / "control").write_bytes(control)
            self.lake.put(scratch / "control", path + self.feed.control_suffix)
        return sha256, path, None
