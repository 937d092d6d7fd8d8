"""Where the passes run: the option `--engine`."""

from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from typing import Annotated

import typer

from reconcile.cli.console import RefusedError
from reconcile.matching.cluster import Cluster, ClusterError


class EngineName(StrEnum):
    """What `--engine` may be."""

    DUCKDB = "duckdb"
    SPARK = "spark"


EngineOption = Annotated[
    EngineName,
    typer.Option(
        "--engine",
        help="Where the passes run: DuckDB on this machine, or the same DuckDB on each machine of a Spark cluster (docs/matching.md).",
    ),
]


@contextmanager
def cluster(name: EngineName) -> Iterator[Cluster | None]:
    """The cluster of an engine, None for this machine; what it refuses is for the person who asked for it."""
    if name is EngineName.DUCKDB:
        yield None
        return
    from reconcile.matching.spark import SparkCluster

    try:
        with SparkCluster() as spark:
            yield spark
    except ClusterError as error:
        raise RefusedError(str(error)) from error
