"""Which groups need no closer look: one confirmation, one entry, told by sorting 64-bit digests.

Sorting integers costs a fraction of grouping 128-bit keys. Two keys that share a digest by accident only cost a closer
look: no decision rests on a digest.
"""

from typing import Any

import numpy as np
import numpy.typing as npt

from reconcile.matching.session import Session

Digests = npt.NDArray[np.uint64]

NO_KEY = 0
"""The digest of a row without a key."""

_SIDE = np.uint64(1)


def find_odd_groups(session: Session) -> None:
    """Make the tables `odd_digest` (groups that are not one confirmation and one entry) and `repeated_digest` (those of
    them with more than one row on a side, or whose purchase was told more than once).
    """
    told = session.arrays("SELECT digest, hash(confirmation_id) AS told_id FROM keyed_confirmation")
    posted = session.arrays("SELECT digest FROM keyed_entry WHERE digest <> 0")
    retold = repeated(told["told_id"])
    keyed = told["digest"][told["digest"] != NO_KEY]
    odd, doubled = odd_groups(keyed, posted["digest"])
    if len(retold):
        again = np.unique(told["digest"][np.isin(told["told_id"], retold)])
        again = again[again != NO_KEY]
        odd, doubled = np.union1d(odd, again), np.union1d(doubled, again)
    session.integers("odd_digest", "digest", np.append(odd, np.uint64(NO_KEY)))
    session.integers("repeated_digest", "digest", doubled)


def odd_groups(told: Digests, posted: Digests) -> tuple[Digests, Digests]:
    """Digests (even numbers, the lowest bit is free) that are not exactly once on both sides; and those among them that
    are more than once on a side.
    """
    ordered = np.concatenate([told, posted | _SIDE])
    ordered.sort()
    digests = ordered & ~_SIDE
    same = digests[1:] == digests[:-1]
    starts = np.flatnonzero(np.concatenate([[True], ~same])) if len(digests) else np.empty(0, dtype=np.intp)
    sizes = np.diff(np.append(starts, len(digests)))
    both = np.zeros(len(starts), dtype=bool)
    pairs = sizes == 2
    both[pairs] = ordered[starts[pairs]] + _SIDE == ordered[starts[pairs] + 1]
    repeats = np.zeros(len(starts), dtype=bool)
    repeats[(sizes > 2) | (pairs & ~both)] = True
    found: Any = digests[starts]
    return found[~both], found[repeats]


def repeated(values: Digests) -> Digests:
    """The values that are there more than once, each once."""
    ordered = np.sort(values)
    return np.unique(ordered[1:][ordered[1:] == ordered[:-1]])
