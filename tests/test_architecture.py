"""The rules of the house, checked by the house's own tools."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
BIN = Path(sys.executable).parent


@pytest.mark.parametrize(
    "command",
    [["lint-imports", "--no-cache"], ["ruff", "format", "--check", "."], ["ruff", "check", "."], ["mypy"]],
    ids=["layers", "format", "lint", "types"],
)
def test_the_house_is_in_order(command):
    result = subprocess.run([BIN / command[0], *command[1:]], cwd=ROOT, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout + result.stderr


def test_airflow_is_imported_under_dags_alone():
    found = [
        path.relative_to(ROOT)
        for path in (ROOT / "reconcile").rglob("*.py")
        if any(line.startswith(("import airflow", "from airflow")) for line in path.read_text().splitlines())
    ]
    assert found == []
