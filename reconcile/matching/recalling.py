"""Settled groups of the horizon, found by the key index and read from the few files that hold them."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import chain
from pathlib import Path
from typing import Final

import numpy as np

from reconcile.matching import columns, key_index, state
from reconcile.matching.key_index import Keys, KeySegment, Numbers, Run
from reconcile.matching.session import Session

FILES_AT_ONCE: Final = 256
"""How many files a segment covers at most when it is made: with the deliveries of a run, or the history of an older state."""


def recall(session: Session, folder: Path, horizon: state.Manifest, *, reaches_back: bool) -> None:
    """The rows at hand, see `recall.sql`: only files that hold a key that is asked for are opened.

    `reaches_back`: there may be new rows of a time that is forgotten, see `untraceable.sql`.
    """
    session.run("asked")
    asked = _keys(session, "SELECT match_key FROM new_key", "SELECT confirmation_id FROM named_id")
    found, numbers = key_index.files_of(folder, horizon.keys, asked)
    _open(session, "told_before", horizon.confirmations, numbers, columns.CONFIRMATION)
    session.run("met")
    met = _keys(session, "SELECT match_key FROM met_key", "SELECT confirmation_id FROM met_id")
    # Nearly all of these were asked for: a second look at a long history would cost as much as the first.
    _, more = key_index.files_of(folder, horizon.keys, met[~np.isin(met, asked)])
    numbers = np.concatenate([numbers[np.isin(found, met)], more])
    _open(session, "told_before", horizon.confirmations, numbers, columns.CONFIRMATION)
    _open(session, "posted_before", horizon.entries, numbers, columns.ENTRY)
    for side in ("confirmation", "entry"):
        session.execute(f"SET VARIABLE recalled_{side}_from = getvariable('next_{side}')")
    session.run("recall")
    if reaches_back or session.rows("FROM half_key LIMIT 1"):
        session.run("untraceable")
    for side in ("confirmation", "entry"):
        [(count,)] = session.rows(f"SELECT count(*) FROM recalled_{side}")  # noqa: S608 - our own names
        session.execute(f"SET VARIABLE next_{side} = getvariable('next_{side}') + {count}")


def with_keys(session: Session, folder: Path, manifest: state.Manifest) -> state.Manifest:
    """The manifest with the keys of all its files in segments; what no next fold can ask for any more is left out.

    That is the new files; after a state of an earlier version, or without some file of the index, all of them.
    """
    segments: tuple[KeySegment, ...] = manifest.keys
    if not all(key_index.is_whole(folder, segment) for segment in segments):
        segments, manifest = (), _unnumbered(manifest)
    manifest, new = _numbered(manifest)
    for start in range(0, len(new), FILES_AT_ONCE):
        segments += _segments(session, folder, manifest, new[start : start + FILES_AT_ONCE])
        segments = key_index.compacted(folder, segments, _numbers(manifest))
    return replace(manifest, keys=key_index.compacted(folder, segments, _numbers(manifest)))


def _segments(
    session: Session, folder: Path, manifest: state.Manifest, new: Sequence[state.FoldedFile]
) -> tuple[KeySegment, ...]:
    told = [file for file in new if file in manifest.confirmations]
    posted = [file for file in new if file in manifest.entries]
    runs = chain(_runs(session, told, "match_key", "confirmation_id"), _runs(session, posted, "match_key"))
    made_of = [[file.path, file.number] for file in new]
    return tuple(
        key_index.build(folder, some, made_of=[number, made_of]) for number, some in enumerate(_of_segments(runs))
    )


def _of_segments(runs: Iterable[Run]) -> Iterator[list[Run]]:
    """The runs, as many together as one segment may hold."""
    together: list[Run] = []
    for run in runs:
        if sum(len(keys) for keys, _ in (*together, run)) > key_index.SEGMENT_KEYS_MAX:
            yield together
            together = []
        together.append(run)
    if together:
        yield together


def _runs(session: Session, files: Sequence[state.FoldedFile], *names: str) -> Iterator[Run]:
    """The keys in these columns."""
    for place, keys in session.keys_of_files([file.path for file in files], names):
        yield keys, np.broadcast_to(np.uint32(files[place].number), len(keys))


def _numbered(manifest: state.Manifest) -> tuple[state.Manifest, list[state.FoldedFile]]:
    """Every file of either side with a number, and those that had none."""
    new: list[state.FoldedFile] = []

    def number(files: Iterable[state.FoldedFile]) -> tuple[state.FoldedFile, ...]:
        numbered = []
        for file in files:
            if not file.number:
                new.append(file := replace(file, number=manifest.last_number + len(new) + 1))
            numbered.append(file)
        return tuple(numbered)

    confirmations, entries = number(manifest.confirmations), number(manifest.entries)
    last_number = manifest.last_number + len(new)
    return replace(manifest, confirmations=confirmations, entries=entries, last_number=last_number), new


def _unnumbered(manifest: state.Manifest) -> state.Manifest:
    def without(files: Iterable[state.FoldedFile]) -> tuple[state.FoldedFile, ...]:
        return tuple(replace(file, number=0) for file in files)

    return replace(manifest, confirmations=without(manifest.confirmations), entries=without(manifest.entries), keys=())


def _numbers(manifest: state.Manifest) -> frozenset[int]:
    return frozenset(file.number for file in (*manifest.confirmations, *manifest.entries))


def _keys(session: Session, *queries: str) -> Keys:
    return np.concatenate([session.keys(query) for query in queries])


def _open(
    session: Session,
    view: str,
    files: Sequence[state.FoldedFile],
    numbers: Numbers,
    of_kind: Mapping[str, str],
) -> None:
    wanted = set(numbers.tolist())
    session.files_view(view, [file.path for file in files if file.number in wanted], of_kind)
