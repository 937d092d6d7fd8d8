from dataclasses import dataclass
from typing import Any

from reconcile.matching.cluster import Cluster


@dataclass(frozen=True, slots=True)
class Engine:
    """What DuckDB may use. None leaves it DuckDB's default: all cores, four fifths of the memory.

    `cluster`: where the passes of a comparison or of a first fold run; None is this process.
    `filesystem`: the fsspec file system that opens URLs among the files; None where they are plain paths.
    """

    threads: int | None = None
    memory_limit: str | None = None
    filesystem: Any = None
    cluster: Cluster | None = None


DEFAULT_ENGINE = Engine()
