"""The same stories, worlds and files on Spark: two executors, each a JVM of its own with its own Python."""

from __future__ import annotations

import os
import shutil
import sys
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner

from reconcile.cli import app

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reconcile.matching.spark import SparkCluster

sys.path.insert(0, str(Path(__file__).parent))

from test_known_truth import World

if shutil.which("java") is None:
    pytest.skip("Java 17 is not installed (Debian: apt-get install default-jre-headless)", allow_module_level=True)

pytestmark = [
    # PySpark leaves its sockets to the garbage collector.
    pytest.mark.filterwarnings("ignore:unclosed <socket:ResourceWarning"),
    pytest.mark.timeout(900),
]
STORIES = sorted((Path(__file__).parents[2] / "golden" / "matching").glob("*.txt"))
HEADER = "id,reference,account,amount,currency,occurred_at\n"


@pytest.fixture(scope="module")
def spark(_s3_server: str) -> Iterator[SparkCluster]:
    """One Spark for all tests of this file."""
    from pyspark.sql import SparkSession

    from reconcile.matching.spark import SETTINGS, SparkCluster

    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    os.environ.setdefault("SPARK_LOCAL_IP", "127.0.0.1")
    access = {"AWS_ENDPOINT_URL": _s3_server, "AWS_ACCESS_KEY_ID": "reconcile", "AWS_SECRET_ACCESS_KEY": "reconcile"}
    settings = {
        **SETTINGS,
        **{f"spark.executorEnv.{name}": value for name, value in access.items()},
        # A handful of rows: nothing is worth compiling.
        "spark.driver.extraJavaOptions": "-XX:TieredStopAtLevel=1",
        "spark.executor.extraJavaOptions": "-XX:TieredStopAtLevel=1",
        "spark.sql.codegen.wholeStage": "false",
        "spark.sql.codegen.factoryMode": "NO_CODEGEN",
    }
    session = SparkSession.builder.master("local-cluster[2,1,1024]").config(map=settings).getOrCreate()
    with SparkCluster() as cluster:
        yield cluster
    session.stop()


@pytest.mark.parametrize("file", STORIES, ids=lambda file: file.stem)
def test_a_story_that_begins_on_spark_ends_as_it_is_written(file: Path, story, spark) -> None:
    text = file.read_text(encoding="utf-8")
    story.folder.cluster = spark
    assert story.play(text) == text


def test_worlds_whose_truth_is_known_are_told_as_they_are(
    new_folder, told_row, posted_row, paid_row, rows_of, at, spark, tmp_path
) -> None:
    worlds = [World(seed, told_row, posted_row, paid_row, at) for seed in range(200)]
    outcome = new_folder(tmp_path, cluster=spark).fold(
        [row for world in worlds for row in world.told],
        [row for world in worlds for row in world.posted],
        payments=[row for world in worlds for row in world.paid],
        complete=at(12 * 60),
    )
    judged = rows_of(outcome.folder / "judged.parquet")
    found = Counter((row["kind"], row["account"], row["owed_minor"]) for row in judged)
    assert found == sum((world.truth for world in worlds), Counter())


def test_batches_on_s3_are_folded_by_executors_as_by_one_machine(
    new_folder, crowd, said, at, spark, s3, tmp_path
) -> None:
    rows = crowd(1)
    heard = []
    for name, cluster in (("one", None), ("spark", spark)):
        folder = new_folder(tmp_path / name, cluster=cluster, place=f"{s3}/{name}")
        outcome = folder.fold(
            rows["told"], rows["posted"], payments=rows["paid"], own=rows["own"], complete=at(24 * 60)
        )
        heard.append(said(outcome.folder))
    assert heard[0] == heard[1]


def test_two_files_are_compared_by_the_command_as_by_one_machine(spark, tmp_path) -> None:
    told = tmp_path / "told.csv"
    posted = tmp_path / "posted.csv"
    told.write_text(HEADER + "".join(f"t{n},R{n},A{n % 40},100,XOF,2024-07-09T13:00:00Z\n" for n in range(200)))
    posted.write_text(
        HEADER + "".join(f"e{n},R{n},A{(n + (n % 7 == 0)) % 40},100,XOF,2024-07-09T13:01:00Z\n" for n in range(199))
    )
    results = {}
    for engine in ("duckdb", "spark"):
        out, page = tmp_path / engine, tmp_path / f"{engine}.html"
        command = ["match", str(told), str(posted), "--out", str(out), "--engine", engine, "--report", str(page)]
        ended = CliRunner().invoke(app, command)
        results[engine] = (
            ended.exit_code,
            ended.output,
            page.read_text(),
            (out / "statement.json").read_text(),
            ordered(out / "breaks.parquet"),
            ordered(out / "matches.parquet"),
        )
    assert results["spark"] == results["duckdb"]
    assert results["spark"][0] == 3


def ordered(file: Path) -> list[Any]:
    """All rows of a file."""
    return sorted(pq.read_table(file).to_pylist(), key=str)
