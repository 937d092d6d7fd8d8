"""Spark as a cluster: it moves parcels from machine to machine, and all else is DuckDB on each of them.

Which cluster: what Spark itself is configured for (`spark-submit --master`, `$SPARK_CONF_DIR`, `$PYSPARK_SUBMIT_ARGS`), else this
machine.
"""

import os
import shutil
import sys
from collections.abc import Callable, Iterable, Iterator
from types import TracebackType
from typing import TYPE_CHECKING, Any, Final, Self

import pyarrow as pa

from reconcile.matching.cluster import ClusterError, Parcel

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

_PARCEL: Final = "bucket int, name string, number int, content binary"
_ARROW_PARCEL: Final = pa.schema(
    [("bucket", pa.int32()), ("name", pa.string()), ("number", pa.int32()), ("content", pa.binary())]
)
SETTINGS: Final = {
    # A parcel is big enough to be a batch by itself.
    "spark.sql.execution.arrow.maxRecordsPerBatch": "1",
    "spark.ui.enabled": "false",  # its page is open to the whole network, and tells no more than the event log
    "spark.ui.showConsoleProgress": "false",
}


class SparkCluster:
    """Spark, started when it is first asked for (some seconds), and stopped at the end unless it ran before.

    Its machines need this package, and must see the files that are matched under the same names.
    """

    def __init__(self) -> None:
        self._spark: SparkSession | None = None
        self._is_ours = False

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._spark is not None and self._is_ours:
            self._spark.stop()

    @property
    def parallelism(self) -> int:
        return int(self._session().sparkContext.defaultParallelism)

    def shuffle(
        self,
        tasks: int,
        read: Callable[[int], Iterator[Parcel]],
        buckets: int,
        work: Callable[[Iterator[Parcel]], Iterator[Parcel]],
    ) -> Iterator[Parcel]:
        spark = self._session()
        from pyspark import StorageLevel
        from pyspark.errors import PySparkException

        def read_tasks(batches: Iterable[Any]) -> Iterable[Any]:
            for batch in batches:
                for number in batch.column(0).to_pylist():
                    yield from map(_to_arrow, read(number))

        def work_on_bucket(batches: Iterable[Any]) -> Iterable[Any]:
            arrived = (Parcel(**row) for batch in batches for row in batch.to_pylist())
            first = next(arrived, None)
            if first is not None:
                yield from map(_to_arrow, work(_with_first(first, arrived)))

        numbers = spark.range(0, tasks, 1, tasks)
        sent = numbers.mapInArrow(read_tasks, _PARCEL).repartitionById(buckets, "bucket")
        done = sent.mapInArrow(work_on_bucket, _PARCEL).persist(StorageLevel.DISK_ONLY)
        try:
            done.count()  # All buckets at once; the iterator then takes what lies on their disks, one after the other.
            for row in done.toLocalIterator():
                yield Parcel(row.bucket, row.name, row.number, bytes(row.content))
        except PySparkException as error:
            raise ClusterError(f"Spark gave up: {error}") from error
        finally:
            done.unpersist()

    def _session(self) -> "SparkSession":
        if self._spark is None:
            try:
                from pyspark.sql import SparkSession
            except ImportError as error:
                raise ClusterError("the engine spark needs PySpark: pip install 'reconcile[spark]'") from error
            running = SparkSession.getActiveSession()
            self._spark, self._is_ours = running or _started(), running is None
        return self._spark


def _started() -> "SparkSession":
    from pyspark.errors import PySparkException
    from pyspark.sql import SparkSession

    if shutil.which("java") is None and "JAVA_HOME" not in os.environ:
        raise ClusterError("the engine spark needs Java 17 or later; there is no java on $PATH and no $JAVA_HOME")
    # What is started on this machine runs the same Python; for others Spark's own setting says which.
    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    builder = SparkSession.builder.appName("reconcile").config(map=dict(SETTINGS))
    try:
        spark: SparkSession = builder.getOrCreate()
    except (PySparkException, RuntimeError) as error:
        raise ClusterError(f"Spark does not start: {error}") from error
    spark.sparkContext.setLogLevel("ERROR")
    return spark


def _to_arrow(parcel: Parcel) -> Any:
    return pa.RecordBatch.from_pylist([parcel._asdict()], schema=_ARROW_PARCEL)


def _with_first(first: Parcel, others: Iterator[Parcel]) -> Iterator[Parcel]:
    yield first
    yield from others
