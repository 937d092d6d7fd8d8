"""The incident of a feed on the desk: what it waits for, and nothing that could be approved."""

from datetime import timedelta

import pytest

from reconcile.cases import feed_incidents
from reconcile.cases.feed_incidents import Stopped


@pytest.fixture
def incident_id(world):
    now = world.clock.now()
    waits = {"unproven": ["0709-1215.csv"], "unproven_count": 1, "waiting": 2, "looked_at": now.isoformat()}
    with world.database.begin() as connection:
        [incident_id] = feed_incidents.watch(
            connection, flow="topup", stopped=[Stopped("ocs", "ledger", now - timedelta(hours=1), waits)], now=now
        )
    return incident_id


@pytest.mark.parametrize(
    ("name", "said"), [("awa", "Livraisons qui la retiennent"), ("marc", "Deliveries that hold it up")]
)
def test_a_feed_that_stopped_is_shown_with_what_it_waits_for(sign_in, incident_id, name, said):
    person = sign_in(name)
    page = person.page(f"/incidents/{incident_id}")
    assert said in page
    assert "0709-1215.csv" in page
    assert 'id="propose"' not in page
    assert str(incident_id) in person.page("/incidents")
    assert str(incident_id) in person.page("/")
