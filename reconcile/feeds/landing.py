"""What arrived, copied into the lake before anything else is done with it, and never changed."""

import hashlib
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final
from uuid import UUID

from reconcile.config import Feed
from reconcile.domain import ids
from reconcile.feeds import manifest
from reconcile.feeds.control import complete_through
from reconcile.feeds.inbox import Delivery, Inbox
from reconcile.feeds.limits import Limits
from reconcile.feeds.manifest import Landed
from reconcile.feeds.readers.lines import packing
from reconcile.store.database import Database
from reconcile.store.lake import Lake

MAX_AHEAD: Final = timedelta(days=1)
"""A delivery that is complete up to a moment that has not come yet is left lying until it comes. One that says more than
this ahead is taken, to be refused: no wait would make it true.
"""
_COPY_BYTES: Final = 1 << 20
_SAMPLE_BYTES: Final = 1 << 20


class NotYet(Exception):  # noqa: N818 - not an error: the delivery is for later
    """A delivery says that it is complete up to a moment that has not come yet."""


def land(
    database: Database,
    lake: Lake,
    inbox: Inbox,
    feed: Feed,
    delivery: Delivery,
    *,
    scratch: Path,
    limits: Limits,
    now: datetime,
) -> UUID:
    """Copies one delivery into the lake and records it, once for the same bytes; returns its batch.

    The SHA-256 is that of the data file and, where there is one, its control file after it: an hour without entries is
    delivered as the same empty file as the hour before, and is not the same delivery. Raises `NotYet`.
    """
    control = _control(inbox, delivery, limits)
    through = complete_through(control)
    if through is not None and now < through <= now + MAX_AHEAD:
        raise NotYet
    copy = scratch / "delivery"
    too_large = delivery.size > limits.file_bytes
    sha256 = _copy(inbox, delivery, copy, control, at_most=_SAMPLE_BYTES if too_large else limits.file_bytes)
    batch_id = ids.batch_id(feed.name, sha256)
    path = f"landed/{feed.name}/{sha256[:2]}/{sha256}.{feed.reader}{packing(delivery.source)}"
    lake.put(copy, path)
    control_path = None
    if control is not None:
        (scratch / "control").write_bytes(control)
        control_path = path + feed.completeness.suffix
        lake.put(scratch / "control", control_path)
    with database.begin() as connection:
        is_new = manifest.land(
            connection,
            feed,
            Landed(batch_id, delivery.source, path, control_path),
            sha256=sha256,
            mark=delivery.mark,
            complete_through=through,
            now=now,
        )
        if is_new and too_large:
            reason = f"{delivery.source}: is larger than {limits.file_bytes} bytes; only its beginning was copied"
            manifest.refuse(connection, batch_id, reason=reason, complete_through=through, now=now)
    return batch_id


def _control(inbox: Inbox, delivery: Delivery, limits: Limits) -> bytes | None:
    """The control file, cut off at its limit: one that is longer will not be understood, and so be refused."""
    if delivery.control_path is None:
        return None
    with inbox.open(delivery.control_path) as stream:
        return stream.read(limits.control_bytes)


def _copy(inbox: Inbox, delivery: Delivery, copy: Path, control: bytes | None, *, at_most: int) -> str:
    """Copies the data file, or its first bytes; returns the SHA-256 of the delivery."""
    digest = hashlib.sha256()
    with inbox.open(delivery.path) as source, copy.open("wb") as sink:
        while at_most > 0 and (chunk := source.read(min(_COPY_BYTES, at_most))):
            at_most -= len(chunk)
            digest.update(chunk)
            sink.write(chunk)
    digest.update(control or b"")
    return digest.hexdigest()
