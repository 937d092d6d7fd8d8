import contextlib
import signal
import socket
import time

import pytest


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_stops_cleanly_even_with_connections_open(sandbox, number: signal.Signals):
    sandbox.move("12:00")
    sandbox.gsma.get("/heartbeat")
    with contextlib.ExitStack() as stack:
        for name in ("control", "gsma", "smpp", "smtp"):
            stack.enter_context(socket.create_connection(("127.0.0.1", sandbox.port(name))))
        sandbox.process.send_signal(number)
        _, complaints = sandbox.process.communicate(timeout=20)
    assert (sandbox.process.returncode, complaints) == (0, "")


def test_the_control_side_answers_nobody_without_the_token(sandbox):
    for method, path in [("GET", "/health"), ("GET", "/books"), ("POST", "/clock"), ("POST", "/persons")]:
        answer = sandbox.control.request(method, path, headers={"Authorization": "Bearer wrong"})
        assert answer.status_code == 401
    assert sandbox.control.get("/health").json() == {
        "status": "ok",
        "clock": "2024-07-09T00:00:00Z",
        "seed": 1,
        "purchases": 400,
    }


def test_the_clock_moves_forward_and_the_same_wish_twice_is_one(sandbox):
    assert sandbox.move("13:30").json() == {"clock": "2024-07-09T13:30:00Z"}
    files = sandbox.files()
    assert sandbox.move("13:30").status_code == 200
    assert sandbox.files() == files
    assert sandbox.move("13:29").status_code == 409
    for wish in ({"to": "2024-07-09T14:00:00"}, {"to": "soon"}, {}, []):
        assert sandbox.control.post("/clock", json=wish).status_code == 400
    assert sandbox.control.get("/clock").json() == {"clock": "2024-07-09T13:30:00Z"}
    assert (sandbox.home / "clock").read_text() == "2024-07-09T13:30:00Z\n"


def test_killed_at_any_moment_it_ends_up_with_the_same_files(start_sandbox):
    ticks = ["13:30", "13:35", "13:45", "14:00", "14:25", "14:50", "15:30"]
    calm, killed = start_sandbox(name="calm"), start_sandbox(name="killed")
    interrupted = 0
    for number, tick in enumerate(ticks):
        calm.move(tick)
        # Not waiting for the answer: the kill comes anywhere between taking the wish and having moved the clock.
        wish = f'{{"to": "2024-07-09T{tick}:00Z"}}'
        with socket.create_connection(("127.0.0.1", killed.port("control"))) as connection:
            connection.sendall(
                f"POST /clock HTTP/1.1\r\nHost: sandbox\r\nAuthorization: Bearer token\r\n"
                f"Content-Length: {len(wish)}\r\n\r\n{wish}".encode()
            )
            time.sleep(0.002 * number)
            killed.process.kill()
        killed.end(signal.SIGKILL)
        interrupted += tick not in (killed.home / "clock").read_text()
        killed.start()
        assert killed.move(tick).status_code == 200
    assert killed.files() == calm.files()
    assert killed.control.get("/books").json() == calm.control.get("/books").json()
    assert interrupted > 0


def test_two_processes_never_share_a_home(sandbox):
    second = sandbox.launch()
    _, complaint = second.communicate(timeout=20)
    assert second.returncode == 2
    assert complaint.startswith("sandbox: another sandbox is using")


def test_a_home_keeps_the_world_that_it_was_made_with(sandbox):
    sandbox.end(signal.SIGTERM)
    second = sandbox.launch("--purchases", "500")
    _, complaint = second.communicate(timeout=20)
    assert second.returncode == 2
    assert complaint == (
        "sandbox: this home was made with --purchases 400, not 500: give another --home, or the same --purchases\n"
    )


def test_a_taken_port_is_told_by_name(sandbox, start_sandbox):
    second = sandbox.launch("--home", str(sandbox.home.with_name("other")), "--smtp-port", str(sandbox.port("smtp")))
    _, complaint = second.communicate(timeout=20)
    assert second.returncode == 2
    assert "(smtp) cannot be had" in complaint
    assert "give another --smtp-port" in complaint
