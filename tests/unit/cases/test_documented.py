"""What a case can stand at is documented."""

import re
from pathlib import Path

from reconcile.domain.policy import _QUEUES, Disposition
from reconcile.notices.event import KINDS

PAGE = (Path(__file__).parents[3] / "docs" / "cases.md").read_text(encoding="utf-8")
SOURCES = [Path(__file__).parents[3] / "reconcile" / name for name in ("domain/policy.py", "jobs/approvals.py")]


def test_each_disposition_is_in_the_table():
    assert [one for one in Disposition if f"| `{one}` |" not in PAGE] == []


def test_each_queue_is_in_the_table_and_each_of_the_table_exists():
    used = {
        found for source in SOURCES for found in re.findall(r'"(queue:[a-z_]+)"', source.read_text(encoding="utf-8"))
    }
    assert used >= {owner for owner, _ in _QUEUES.values()}
    assert set(re.findall(r"^\| `(queue:[a-z_]+)` \|", PAGE, re.MULTILINE)) == used


def test_each_event_that_is_told_is_in_the_table():
    assert [kind for kind in KINDS if not re.search(rf"^\| `{kind}(:<n>)?` \|", PAGE, re.MULTILINE)] == []
