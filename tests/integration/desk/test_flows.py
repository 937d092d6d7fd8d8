"""A breaker that is open is closed again by two people."""

import sample
import sqlalchemy as sa

from reconcile.cases import breaker
from reconcile.store.tables import breakers

FLOW = "/flows/topup"


def trip(world):
    with world.database.begin() as connection:
        breaker.trip(connection, flow="topup", reason="more breaks than can be true", now=sample.NOW)


def why_open(world):
    with world.database.begin() as connection:
        return connection.execute(sa.select(breakers.c.open)).scalar_one()


def test_an_open_breaker_is_seen_from_the_first_page_and_closed_by_two_people(sign_in, world):
    maker, approver = sign_in("awa"), sign_in("issa")
    assert 'id="propose"' not in maker.page(FLOW)
    trip(world)
    assert f'href="{FLOW}"' in maker.page("/")
    assert maker.post_form(FLOW, "propose", reason="the mapping was wrong, and is right now").status_code == 303
    assert f'href="{FLOW}"' in approver.page("/approvals")
    assert approver.post_form(FLOW, "approve").status_code == 303
    assert why_open(world) is None


def test_whoever_proposed_to_close_it_does_not_close_it(sign_in, world):
    trip(world)
    issa = sign_in("issa")
    issa.post_form(FLOW, "propose", reason="it is fine")
    assert 'id="approve"' not in issa.page(FLOW)
    assert why_open(world) is not None
