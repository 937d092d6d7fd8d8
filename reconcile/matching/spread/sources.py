"""What the machines of a cluster read: files of rows, cut into pieces."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Literal, NamedTuple, Protocol

from reconcile.matching import columns, foreign
from reconcile.matching.session import Session
from reconcile.store.place import is_local, open_place

Side = Literal["told", "posted", "paid"]

KINDS: Final = {"told": columns.CONFIRMATION, "posted": columns.ENTRY, "paid": columns.PAYMENT}


class Source(Protocol):
    """Rows of one side in one Parquet file. Can be pickled."""

    @property
    def side(self) -> Side: ...

    @property
    def path(self) -> str: ...

    @property
    def rows(self) -> int: ...

    def open(self, session: Session, first: int, last: int) -> None:
        """Make the view `piece`: the rows of these numbers (from 0, both included), as the passes want them."""


@dataclass(frozen=True, slots=True)
class PublishedFile:
    """A published batch."""

    side: Side
    path: str
    rows: int

    def open(self, session: Session, first: int, last: int) -> None:
        session.files_view("piece", [self.path], KINDS[self.side], only=(first, last))


@dataclass(frozen=True, slots=True)
class CheckedFile:
    """A file of other people's making that `foreign.checked` has passed; later rows than `as_of` do not exist."""

    file: foreign.ForeignFile
    path: str
    rows: int
    as_of: datetime | None

    @property
    def side(self) -> Side:
        return "told" if self.file.side == "confirmation" else "posted"

    def open(self, session: Session, first: int, last: int) -> None:
        piece = f"{foreign.normalised(self.file)} WHERE file_row_number BETWEEN {first} AND {last}"
        session.execute(f"CREATE TEMP VIEW piece AS FROM ({piece}) WHERE {foreign.known(self.file, self.as_of)}")


class Piece(NamedTuple):
    """Rows `first` to `last` of a source; `number` tells the pieces of all sources apart, in the order of the input."""

    number: int
    source: Source
    first: int
    last: int


Task = tuple[Piece, ...]
"""Pieces that one machine reads in one go."""


def cut(sources: Sequence[Source], task_rows: int) -> list[Task]:
    """Tasks of at most `task_rows` rows, in the order of the sources."""
    tasks: list[Task] = []
    task: list[Piece] = []
    room, number = task_rows, 0
    for source in sources:
        first = 0
        while first < source.rows:
            rows = min(room, source.rows - first)
            task.append(Piece(number, source, first, first + rows - 1))
            room, number, first = room - rows, number + 1, first + rows
            if not room:
                tasks.append(tuple(task))
                task, room = [], task_rows
    return [*tasks, tuple(task)] if task else tasks


def opened(task: Task, folder: Any) -> Iterator[tuple[Piece, Session]]:
    """Each piece of a task with a session that has the view `piece`, and may be used until the next one."""
    for piece in task:
        with Session(folder, threads=1, filesystem=filesystem_of(piece.source.path)) as session:
            piece.source.open(session, piece.first, piece.last)
            yield piece, session


def filesystem_of(path: str) -> Any:
    """What opens the URL `path` on this machine (an fsspec file system); None for a plain path."""
    filesystem, _ = open_place(path)
    return None if is_local(filesystem) else filesystem
