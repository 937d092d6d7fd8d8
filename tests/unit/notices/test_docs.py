"""What `docs/notices.md` says is what the code does."""

from pathlib import Path

import pytest

from reconcile.domain.lifecycles import TRANSITIONS
from reconcile.jobs import send_notices
from reconcile.notices import catalogue, recording, sms, standing
from reconcile.notices.event import KINDS

PAGE = " ".join((Path(__file__).parents[3] / "docs" / "notices.md").read_text(encoding="utf-8").split())


@pytest.mark.parametrize("kind", KINDS)
def test_each_event_is_documented(kind):
    assert f"| `{kind}` |" in PAGE


@pytest.mark.parametrize("slot", sorted(catalogue.SLOTS))
def test_each_slot_is_documented(slot):
    assert f"`{{{slot}}}`" in PAGE


@pytest.mark.parametrize("status", sorted({after for _, after in TRANSITIONS["notice"]}))
def test_each_status_is_documented(status):
    assert status in PAGE


@pytest.mark.parametrize(
    "sentence",
    [
        f"at most {standing.KNOWLEDGE_AGE_MAX.seconds // 60} minutes ago",
        f"for less than {standing.APPROVED_WAIT_MAX.seconds // 60} minutes",
        f"at most {sms.WINDOW} submissions",
        f"after {sms.THROTTLED_BUDGET_SECONDS:g} seconds",
        f"no answer in {sms.RESPONSE_TIMEOUT_SECONDS:g} seconds",
        f"at most {recording.TRIES_MAX} tries",
        f"up to {send_notices.LINKS_MAX} in one run",
    ],
)
def test_the_limits_are_documented_as_they_are(sentence):
    assert sentence in PAGE
