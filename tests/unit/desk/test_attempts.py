"""Sign-in attempts over a window of time."""

from reconcile.desk import attempts
from reconcile.desk.attempts import ATTEMPTS_MAX, ATTEMPTS_WINDOW_SECONDS, SignInAttempts


class Seconds:
    def __init__(self):
        self.now = 1000.0

    def __call__(self):
        return self.now


def test_after_the_last_attempt_an_account_waits_until_the_first_one_is_forgotten():
    seconds = Seconds()
    tries = SignInAttempts(seconds)
    assert [tries.begin("awa") for _ in range(ATTEMPTS_MAX)] == [0] * ATTEMPTS_MAX
    seconds.now += 100
    assert tries.begin("awa") == ATTEMPTS_WINDOW_SECONDS - 100
    assert tries.begin("issa") == 0
    seconds.now += ATTEMPTS_WINDOW_SECONDS - 100
    assert tries.begin("awa") == 0


def test_a_success_clears_the_account():
    tries = SignInAttempts(Seconds())
    for _ in range(ATTEMPTS_MAX):
        tries.begin("awa")
    tries.succeeded("awa")
    assert tries.begin("awa") == 0


def test_strangers_names_do_not_fill_the_memory(monkeypatch):
    monkeypatch.setattr(attempts, "ACCOUNTS_TRACKED_MAX", 3)
    tries = SignInAttempts(Seconds())
    for name in "abcdef":
        tries.begin(name)
    assert list(tries._attempts) == ["d", "e", "f"]
