"""Where files come from and go to: the lake, the disks, the places of the feeds, and the zones of what lies there."""

import getpass
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from reconcile.config import Configuration, ConfigurationError, Feed
from reconcile.feeds.inbox import Inbox, UnreachableError
from reconcile.jobs.doctor.finding import Finding, Level
from reconcile.jobs.world import World

LOW_BYTES: Final = 2 << 30
EMPTY_BYTES: Final = 200 << 20
"""Less free space than this: the next large delivery or fold may fail. It would fail closed, but it would fail."""


def examine_lake(world: World) -> Iterator[Finding]:
    """Whether the lake can be written, by writing to it."""
    path = world.configuration.lake.path
    try:
        world.lake.check()
    except Exception as error:  # noqa: BLE001 - each kind of place has errors of its own
        said = error.strerror if isinstance(error, OSError) and error.strerror else type(error).__name__
        todo = f"let {getpass.getuser()} write there, make room, or name another place in [lake] path"
        yield Finding("lake", "failure", f"{path} cannot be written: {said}", todo)
    else:
        yield Finding("lake", "ok", f"{path} can be written")


def examine_disks(world: World) -> Iterator[Finding]:
    """How much room there is where this machine writes, one finding for each file system."""
    configuration = world.configuration
    folders = {"TMPDIR": Path(tempfile.gettempdir()), "reports": configuration.path(configuration.reports.path)}
    if world.lake.is_local:
        folders["lake"] = configuration.path(configuration.lake.path)
    if configuration.store.url == "embedded":
        folders["store"] = configuration.path(configuration.store.path)
    found: dict[int, tuple[Path, list[str]]] = {}
    for name, folder in folders.items():
        there = next(path for path in (folder, *folder.parents) if path.is_dir())
        found.setdefault(there.stat().st_dev, (there, []))[1].append(name)
    for there, names in found.values():
        free = shutil.disk_usage(there).free
        level: Level = "failure" if free < EMPTY_BYTES else "warning" if free < LOW_BYTES else "ok"
        todo = (
            "" if level == "ok" else "`reconcile housekeep --dry-run` says what can go; see the runbook of a full disk"
        )
        subject = f"disk of {', '.join(sorted(names))}"
        yield Finding(subject, level, f"{free / (1 << 30):.1f} GiB free at {there}", todo)


def examine_place(configuration: Configuration, feed: Feed) -> Iterator[Finding]:
    """What lies where a feed of files delivers, and what its configuration leaves to chance."""
    subject = f"feed {feed.name}"
    try:
        listing = Inbox(configuration, feed).list()
    except (UnreachableError, ConfigurationError) as error:
        yield Finding(subject, "failure", str(error), "look at the path, the rights of its folder, and the credentials")
    else:
        if listing.begun:
            partner = f" (its {feed.partner_suffix})" if feed.partner_suffix else ""
            text = (
                f"{len(listing.begun)} deliveries wait for their other file{partner}, such as {listing.begun[0].source}"
            )
            yield Finding(
                subject, "warning", text, "they are taken when it is there; until then they hold the watermark"
            )
        elif not listing.ready:
            todo = "does the pattern fit the names of the files? `reconcile feeds try` reads one of them"
            yield Finding(subject, "warning", f"nothing lies at {feed.location}", todo)


def examine_reading(configuration: Configuration, feed: Feed) -> Iterator[Finding]:
    """What a feed's configuration says of senders and zones, where that is seldom meant."""
    subject, flow, sms = f"feed {feed.name}", configuration.flow(feed.flow), configuration.sms
    if feed.side == "confirmation" and not feed.senders:
        text = "no senders are named: other people's codes and private messages are read and kept as well"
        yield Finding(subject, "warning", text, "name those of the operator's messages in `senders`")
    if sms is not None and sms.sender in feed.senders:
        text = f"{sms.sender!r} is among its senders and is our own: each notice would come back as a message"
        yield Finding(subject, "warning", text, "send notices under another name than the confirmations")
    if feed.zone == "UTC" and flow.zone != "UTC":
        text = f"times without a zone are read as UTC, while its flow lives in {flow.zone}"
        yield Finding(subject, "warning", text, "if its files are written in local time, set `zone`")
