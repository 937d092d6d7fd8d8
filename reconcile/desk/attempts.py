"""How often somebody may try to sign in to one account."""

import threading
import time
from collections import OrderedDict, deque
from collections.abc import Callable
from typing import Final

ATTEMPTS_MAX: Final = 5
ATTEMPTS_WINDOW_SECONDS: Final = 300
ACCOUNTS_TRACKED_MAX: Final = 10_000
"""Names are strangers' text: beyond this many, the one that was tried longest ago is forgotten."""


class SignInAttempts:
    """Attempts per account over a sliding window, in the memory of the one process that serves the desk.

    Counted per account and not per address, which a whole call centre shares; and counted before the password is looked
    at, so that many attempts at once are not many free guesses. A success clears the account.
    """

    def __init__(self, seconds: Callable[[], float] = time.monotonic) -> None:
        self._seconds = seconds
        self._attempts: OrderedDict[str, deque[float]] = OrderedDict()
        self._lock = threading.Lock()

    def begin(self, username: str) -> int:
        """Counts one attempt and returns 0, or refuses it and returns for how many seconds."""
        now = self._seconds()
        with self._lock:
            attempts = self._attempts.setdefault(username, deque())
            self._attempts.move_to_end(username)
            if len(self._attempts) > ACCOUNTS_TRACKED_MAX:
                self._attempts.popitem(last=False)
            while attempts and attempts[0] <= now - ATTEMPTS_WINDOW_SECONDS:
                attempts.popleft()
            if len(attempts) >= ATTEMPTS_MAX:
                return max(1, round(attempts[0] + ATTEMPTS_WINDOW_SECONDS - now))
            attempts.append(now)
            return 0

    def succeeded(self, username: str) -> None:
        with self._lock:
            self._attempts.pop(username, None)
