"""What the passes ask of many machines: that bytes with the same number meet in one place. Spark can do that."""

from collections.abc import Callable, Iterator
from typing import NamedTuple, Protocol


class Parcel(NamedTuple):
    """Bytes on their way: into which bucket, what they are, and their number among those of one name."""

    bucket: int
    name: str
    number: int
    content: bytes


class ClusterError(RuntimeError):
    """The cluster cannot be reached, or gave up; the message says why."""


class Cluster(Protocol):
    """Machines that have this package, and see the files that are named to them."""

    @property
    def parallelism(self) -> int:
        """How many buckets are worked on at the same time."""

    def shuffle(
        self,
        tasks: int,
        read: Callable[[int], Iterator[Parcel]],
        buckets: int,
        work: Callable[[Iterator[Parcel]], Iterator[Parcel]],
    ) -> Iterator[Parcel]:
        """`read` is called for each number below `tasks`; its parcels for one bucket (below `buckets`) come to one call of `work`,
        in any order; what those return comes back bucket by bucket, in its order. A bucket without parcels is not worked on.
        Either may be called again for the same task or bucket, when a machine is lost. Raises `ClusterError`.
        """
