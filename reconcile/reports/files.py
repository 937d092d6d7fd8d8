"""The report files of each day, as they lie in the reports folder."""

from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Final

DAYS_MAX: Final = 400
MEDIA_TYPES: Final = {
    ".html": "text/html",
    ".csv": "text/csv",
    ".xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}


@dataclass(frozen=True, slots=True)
class ReportFile:
    """One file that can be fetched."""

    path: Path
    size_bytes: int

    @property
    def name(self) -> str:
        return self.path.name

    @property
    def media_type(self) -> str:
        return MEDIA_TYPES[self.path.suffix]


def report_files(root: Path) -> dict[date, list[ReportFile]]:
    """Day → its files, the newest day first; whatever else lies in the folder is left out."""
    found: dict[date, list[ReportFile]] = {}
    if not root.is_dir():
        return found
    for folder in sorted((one for one in root.iterdir() if one.is_dir()), reverse=True)[:DAYS_MAX]:
        try:
            day = date.fromisoformat(folder.name)
        except ValueError:
            continue
        files = [
            ReportFile(path, path.stat().st_size)
            for path in sorted(folder.iterdir())
            if path.suffix in MEDIA_TYPES and path.is_file() and not path.name.startswith(".")
        ]
        if files:
            found[day] = files
    return found
