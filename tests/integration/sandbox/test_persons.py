"""The two persons at a small desk of our own, served over real HTTP."""

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs

import pytest

MAKER = {"username": "awa", "password": "open sesame"}
APPROVER = {"username": "yao", "password": "open barley"}


class Desk(ThreadingHTTPServer):
    """One incident and one case; what a person may do depends on who signed in and on what was done before."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), DeskPages)
        self.sent: list[tuple[str, str, dict[str, str]]] = []
        self.agents: set[str] = set()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    def page(self, path: str, user: str | None) -> str | None:
        proposed = {address for _, address, _ in self.sent}
        if path == "/sign-in":
            return (
                '<form method="post"><input name="username"><input name="password"><input name="csrf_token" value="c0">'
            )
        if user is None:
            return None
        if path == "/incidents":
            return '<a data-incident href="/incidents/7">Panne</a>'
        if path == "/approvals":
            return '<a data-case href="/cases/K7M2-QX4D">K7M2-QX4D</a>'
        if f"{path}/propose" not in proposed:
            fields = '<input name="max_count" value="12">' if path == "/incidents/7" else ""
            return f'<form id="propose" action="{path}/propose"><input name="csrf_token" value="c1">{fields}<input name="reason"></form>'
        if f"{path}/approve" not in proposed and user == "yao":
            return f'<form id="approve" action="{path}/approve"><input name="csrf_token" value="c2"><input type="hidden" name="evidence_hash" value="e5"></form>'
        return "<p>nothing to do</p>"


class DeskPages(BaseHTTPRequestHandler):
    server: Desk

    def do_GET(self) -> None:
        self.server.agents.add(self.headers["User-Agent"])
        cookie = self.headers.get("Cookie", "")
        page = self.server.page(self.path, cookie.removeprefix("user=") or None)
        self.answer(403 if page is None else 200, page or "")

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        form = {name: values[0] for name, values in parse_qs(body, keep_blank_values=True).items()}
        if self.path == "/sign-in":
            known = {(one["username"], one["password"]) for one in (MAKER, APPROVER)}
            is_let_in = (form["username"], form["password"]) in known and form["csrf_token"] == "c0"
            self.answer(303 if is_let_in else 401, "", {"Set-Cookie": f"user={form['username']}", "Location": "/"})
            return
        self.server.sent.append((self.headers["Cookie"].removeprefix("user="), self.path, form))
        self.answer(303, "", {"Location": self.path.rsplit("/", 1)[0]})

    def answer(self, status: int, page: str, headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in ({"Content-Length": str(len(page))} | (headers or {})).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(page.encode())

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def desk():
    with Desk() as desk:
        thread = threading.Thread(target=desk.serve_forever)
        thread.start()
        yield desk
        desk.shutdown()
        thread.join()


def test_one_proposes_and_the_other_approves_by_the_forms_as_they_are(sandbox, desk: Desk):
    wish = {"desk_url": desk.url, "maker": MAKER, "approver": APPROVER}
    done = sandbox.control.post("/persons", json=wish).json()
    assert done["maker"]["sent"] == done["approver"]["sent"] == 2
    reason = "Sandbox person: confirmed to the customer, not on the ledger."
    assert desk.sent == [
        ("awa", "/incidents/7/propose", {"csrf_token": "c1", "max_count": "12", "reason": reason}),
        ("awa", "/cases/K7M2-QX4D/propose", {"csrf_token": "c1", "reason": reason}),
        ("yao", "/incidents/7/approve", {"csrf_token": "c2", "evidence_hash": "e5"}),
        ("yao", "/cases/K7M2-QX4D/approve", {"csrf_token": "c2", "evidence_hash": "e5"}),
    ]
    assert desk.agents == {"sandbox person"}
    again = sandbox.control.post("/persons", json=wish).json()
    assert again["maker"]["sent"] == again["approver"]["sent"] == 0


def test_a_person_who_is_not_let_in_says_so(sandbox, desk: Desk):
    wish = {"desk_url": desk.url, "maker": MAKER | {"password": "wrong"}, "approver": APPROVER}
    answer = sandbox.control.post("/persons", json=wish)
    assert (answer.status_code, answer.json()) == (502, {"error": "the desk did not let the person in: HTTP 401"})
    assert desk.sent == []


@pytest.mark.parametrize(
    ("url", "error"),
    [
        ("http://desk.example", "sandbox persons work on this machine's desk alone"),
        ("http://127.0.0.1:1", "the desk did not answer: ConnectError"),
    ],
)
def test_a_desk_elsewhere_or_nowhere_is_not_worked_at(sandbox, url: str, error: str):
    wish = {"desk_url": url, "maker": MAKER, "approver": APPROVER}
    answer = sandbox.control.post("/persons", json=wish)
    assert (answer.status_code, answer.json()) == (502, {"error": error})


def test_persons_need_names(sandbox):
    assert sandbox.control.post("/persons", json={"desk_url": "http://127.0.0.1:1"}).status_code == 400
