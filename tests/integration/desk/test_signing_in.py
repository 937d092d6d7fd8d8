"""Who gets in, and what stands in the way of everybody else."""

import httpx
import pytest
import sample
import sqlalchemy as sa
from forms import Person

from reconcile.desk.attempts import ATTEMPTS_MAX
from reconcile.desk.guard import OPEN_PATHS, Needs
from reconcile.desk.protection import BODY_BYTES_MAX, SECURITY_HEADERS
from reconcile.desk.server import create_app
from reconcile.store.tables import sessions


def routes(world):
    return [route for route in create_app(world).routes if hasattr(route, "dependant")]


def test_every_route_needs_a_session_unless_it_is_named_open(desk, world):
    with httpx.Client(base_url=desk, trust_env=False) as nobody:
        for route in routes(world):
            path = route.path.format(number="K", incident_id=sample.INCIDENT, confirmation_id=sample.INCIDENT,
                                     contact_id=sample.INCIDENT, day="2024-07-09", name="a.csv", flow="topup", row_id=sample.INCIDENT)  # fmt: skip
            for method in route.methods:
                answer = nobody.request(method, path)
                if path in OPEN_PATHS:
                    assert not (answer.status_code == 303 and answer.headers["location"].startswith("/sign-in"))
                else:
                    assert answer.status_code == 303, (method, path)
                    assert answer.headers["location"].startswith("/sign-in"), (method, path)


def test_every_route_behind_the_sign_in_names_the_permission_it_needs(world):
    for route in routes(world):
        if route.path not in OPEN_PATHS:
            assert any(isinstance(one.call, Needs) for one in route.dependant.dependencies), route.path


def test_a_page_cannot_be_changed_by_a_link(world):
    for route in routes(world):
        assert route.methods <= {"GET", "HEAD"} or route.methods == {"POST"}, route.path


def test_a_wrong_password_and_a_wrong_name_get_the_same_answer(desk):
    with httpx.Client(base_url=desk, trust_env=False, timeout=20) as client:
        person = Person(client)
        answers = [
            person.post_form("/sign-in", None, username=name, password="not the password")
            for name in ("awa", "nobody at all")
        ]
    assert [answer.status_code for answer in answers] == [401, 401]
    assert answers[0].text == answers[1].text


def test_an_account_that_is_tried_too_often_must_wait_even_with_the_right_password(desk):
    with httpx.Client(base_url=desk, trust_env=False, timeout=20) as client:
        person = Person(client)
        for _ in range(ATTEMPTS_MAX):
            person.post_form("/sign-in", None, username="awa", password="wrong wrong wrong")
        assert person.post_form("/sign-in", None, username="awa", password=sample.PASSWORD).status_code == 429
        assert person.post_form("/sign-in", None, username="issa", password=sample.PASSWORD).status_code == 303


def test_the_cookie_is_out_of_reach_of_scripts_and_its_token_is_not_stored(sign_in, world):
    person = sign_in("awa")
    token = person.client.cookies["session"]
    with world.database.begin() as connection:
        stored = connection.execute(sa.select(sessions)).one()
    assert token not in {stored.session_hash, stored.csrf_token}
    answer = person.post_form("/sign-in", None, username="awa", password=sample.PASSWORD)
    cookie = next(value for value in answer.headers.get_list("set-cookie") if value.startswith("session="))
    assert "HttpOnly" in cookie
    assert "SameSite=lax" in cookie


def test_cookies_are_secure_and_bound_to_the_host_unless_configured_otherwise(database_url, tmp_path):
    from reconcile.desk.page import Desk

    world = sample.build(database_url, tmp_path, secure_cookies=True)
    assert Desk(world).cookie == "__Host-session"
    world.database.dispose()


@pytest.mark.parametrize("token", ["", "another token"])
def test_a_form_without_its_token_changes_nothing(sign_in, token):
    person = sign_in("issa")
    data = {"cause": "x", "max_count": 1, "max_value": 1, "csrf_token": token}
    assert person.client.post(f"/incidents/{sample.INCIDENT}/propose", data=data).status_code == 403


def test_signing_out_ends_the_session_for_good(sign_in):
    person = sign_in("awa")
    kept = dict(person.client.cookies)
    fields = person.form("/", None).fields
    assert person.client.post("/sign-out", data=fields).headers["location"] == "/sign-in"
    person.client.cookies.update(kept)
    assert person.get("/").status_code == 303


def test_after_signing_in_one_comes_back_to_the_page_but_never_elsewhere(desk):
    for asked, reached in (
        ("/incidents", "/incidents"),
        ("//evil.example", "/"),
        ("https://evil.example", "/"),
        ("/\\evil", "/"),
    ):
        with httpx.Client(base_url=desk, trust_env=False, timeout=20) as client:
            person = Person(client)
            answer = person.post_form(f"/sign-in?next={asked}", None, username="awa", password=sample.PASSWORD)
            assert answer.headers["location"] == reached


def test_security_headers_are_on_every_answer(desk, sign_in):
    person = sign_in("awa")
    for path in ("/sign-in", "/", "/nowhere", "/static/desk.css", "/reports"):
        answer = person.get(path)
        for name, value in SECURITY_HEADERS.items():
            if name != "Cache-Control" or not path.startswith("/static"):
                assert answer.headers[name] == value, (path, name)
    assert "script" not in SECURITY_HEADERS["Content-Security-Policy"]


def test_a_browser_that_asks_for_an_icon_gets_the_mark(desk):
    with httpx.Client(base_url=desk, trust_env=False, follow_redirects=True) as client:
        assert client.get("/favicon.ico").headers["content-type"].startswith("image/svg+xml")


def test_a_body_beyond_the_limit_is_refused_before_it_is_read(desk):
    with httpx.Client(base_url=desk, trust_env=False) as client:
        assert client.post("/sign-in", data={"username": "x" * BODY_BYTES_MAX}).status_code == 413


def test_health_is_open_and_says_nothing_else(desk):
    with httpx.Client(base_url=desk, trust_env=False) as client:
        assert client.get("/health").text == "ok\n"
