"""A real desk over a real database, on a port of its own, and people who are signed in to it."""

import socket
import sys
import threading
import time
from pathlib import Path

import httpx
import pytest
import uvicorn
from playwright.sync_api import expect

sys.path.insert(0, str(Path(__file__).parent))

import sample
from forms import Person

expect.set_options(timeout=30_000)  # a page that is late on a busy machine is not a wrong one


@pytest.fixture
def world(database_url, tmp_path):
    world = sample.build(database_url, tmp_path)
    yield world
    world.database.dispose()


@pytest.fixture
def desk(world):
    """The address of a running desk."""
    from reconcile.desk.server import create_app

    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        server = uvicorn.Server(uvicorn.Config(create_app(world), log_level="error", lifespan="off"))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
        thread.start()
        while not server.started:
            time.sleep(0.01)
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        server.should_exit = True
        thread.join()


@pytest.fixture
def sign_in(desk):
    """`sign_in("awa")` gives a person who is signed in."""
    opened = []

    def person(name, language=None):
        headers = {"Accept-Language": language} if language else {}
        client = httpx.Client(base_url=desk, trust_env=False, headers=headers, timeout=20)
        opened.append(client)
        one = Person(client)
        answer = one.post_form("/sign-in", None, username=name, password=sample.PASSWORD)
        assert answer.status_code == 303, answer.text
        return one

    yield person
    for client in opened:
        client.close()
