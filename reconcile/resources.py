"""Where the data folders `sql/`, `expectations/` and `dags/` are: inside an installed wheel, or at the top of a checkout."""

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent


def folder(name: str) -> Path:
    """The folder `name` (`sql`, `expectations` or `dags`); raises `FileNotFoundError` when the installation lacks it."""
    for candidate in (_PACKAGE / "_data" / name, _PACKAGE.parent / name):
        if candidate.is_dir():
            return candidate
    message = f"the folder {name}/ is missing from this installation of reconcile"
    raise FileNotFoundError(message)


def text(name: str) -> str:
    """The text of one data file, named from its folder: `sql/match/reference.sql`."""
    top, _, rest = name.partition("/")
    return (folder(top) / rest).read_text(encoding="utf-8")
