"""The wheel works without the checkout: it carries `sql/`, `expectations/`, `dags/` and everything that the package reads."""

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
HEADER = "id,reference,account,amount,currency,occurred_at\n"
TOLD = "c1,RC1,+2250707123456,1050,XOF,2024-07-09T13:45:00Z\n"


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """The unpacked wheel."""
    folder = tmp_path_factory.mktemp("wheel")
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", folder],
        cwd=ROOT,
        check=True,
        capture_output=True,
    )
    [wheel] = folder.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder / "site")
    return folder / "site"


def reconcile(installed, folder, *arguments):
    environment = {key: value for key, value in os.environ.items() if key != "RECONCILE_CONFIG"}
    return subprocess.run(
        [sys.executable, "-P", "-m", "reconcile.cli", *arguments],
        cwd=folder,
        env=environment | {"PYTHONPATH": str(installed)},
        capture_output=True,
        text=True,
        check=False,
    )


def test_it_carries_every_data_file_of_the_checkout(installed):
    tracked = subprocess.run(
        ["git", "ls-files", "sql", "expectations", "dags", "reconcile"],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    ).stdout.splitlines()
    carried = [path if path.startswith("reconcile/") else f"reconcile/_data/{path}" for path in tracked]
    assert [path for path in carried if not (installed / path).is_file()] == []


def test_its_own_dags_are_the_ones_it_names(installed, tmp_path):
    told = reconcile(installed, tmp_path, "dags")
    assert Path(told.stdout.strip()) == installed / "reconcile" / "_data" / "dags"


def test_it_compares_files_and_reads_messages(installed, tmp_path):
    (tmp_path / "told.csv").write_text(HEADER + TOLD)
    (tmp_path / "posted.csv").write_text(HEADER + TOLD.replace("c1", "e1"))
    (tmp_path / "messages.jsonl").write_text('{"id": "m1", "text": "Bonjour"}\n')
    matched = reconcile(installed, tmp_path, "match", "told.csv", "posted.csv", "--out", "result")
    assert matched.returncode == 0, matched.stderr
    assert reconcile(installed, tmp_path, "parse", "messages.jsonl").returncode == 0
