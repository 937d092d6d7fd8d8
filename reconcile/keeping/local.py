"""What lies on this machine alone: folders of killed workers, and old reports."""

import shutil
import time
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

from reconcile.keeping.house import HELD, House, Swept
from reconcile.store import scratch


def sweep(house: House, reports: Path) -> Iterator[Swept]:
    """`reports`: the folder of the daily reports, a folder for each day."""
    abandoned = scratch.abandoned()
    yield _removed(house, "folders of killed workers", abandoned)
    partial = [path for path in sorted(reports.glob("*/.*.partial")) if _is_old(path, house.retention.unnamed)]
    yield _removed(house, "half-written reports", partial)
    if house.has_hold():
        yield Swept("reports", 0, note=HELD)
        return
    last = (house.now - house.retention.reports).date()
    yield _removed(house, "reports", [folder for folder in sorted(reports.glob("*-*-*")) if _is_before(folder, last)])


def _removed(house: House, what: str, paths: list[Path]) -> Swept:
    freed = sum(map(scratch.size_bytes, paths))
    if not house.dry:
        for path in paths:
            if path.is_dir():
                shutil.rmtree(path, ignore_errors=True)  # another house-keeper of this machine may have been faster
            else:
                path.unlink(missing_ok=True)
    return Swept(what, len(paths), freed)


def _is_before(folder: Path, last: date) -> bool:
    try:
        return folder.is_dir() and date.fromisoformat(folder.name) < last
    except ValueError:
        return False


def _is_old(path: Path, age: timedelta) -> bool:
    try:
        return time.time() - path.stat().st_mtime > age.total_seconds()
    except FileNotFoundError:  # its writer has just finished it
        return False
