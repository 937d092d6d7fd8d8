"""What the daemon asks of the sandboxed operator, over its control API."""

import time
from datetime import datetime
from typing import Any, Self

import httpx

REQUEST_LIMIT_SECONDS = 120  # an advance of half a day writes half a day's files
POLL_SECONDS = 0.1


class SandboxNotReady(RuntimeError):  # noqa: N818 - says what is the matter
    """The sandbox does not answer."""


class SandboxRefused(RuntimeError):  # noqa: N818 - says what is the matter
    """The sandbox answered that it cannot do what was asked."""


class SandboxApi:
    """The operator at `url`. Close it after use (`with`)."""

    def __init__(self, url: str, token: str) -> None:
        self._client = httpx.Client(
            base_url=url,
            headers={"Authorization": f"Bearer {token}"},
            timeout=REQUEST_LIMIT_SECONDS,
            trust_env=False,  # a proxy has no business on the loopback address
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._client.close()

    def answers(self) -> bool:
        """Whether it is up."""
        try:
            return self._client.get("/health").is_success
        except httpx.TransportError:
            return False

    def wait_until_ready(self, *, limit_seconds: float) -> None:
        """Raises `SandboxNotReady`."""
        give_up = time.monotonic() + limit_seconds
        while not self.answers():
            if time.monotonic() > give_up:
                raise SandboxNotReady(f"the sandboxed operator does not answer after {limit_seconds} s")
            time.sleep(POLL_SECONDS)

    def now(self) -> datetime:
        """Business time."""
        return datetime.fromisoformat(self._ask("GET", "/clock")["clock"])

    def advance(self, to: datetime) -> None:
        """Let the operator live until that instant and deliver everything up to it; harmless when it stands there."""
        self._ask("POST", "/clock", {"to": to.isoformat()})

    def books(self) -> dict[str, Any]:
        """The truth about everybody."""
        found: dict[str, Any] = self._ask("GET", "/books")
        return found

    def story(self) -> list[dict[str, str]]:
        """One wronged customer's day, in order: `at`, `what`, `text`, `reference`; empty when nobody was re-credited."""
        found: list[dict[str, str]] = self._ask("GET", "/books/story")
        return found

    def let_persons_act(self, desk_url: str, maker: dict[str, str], approver: dict[str, str]) -> None:
        """Two sandbox persons do a round of proposals and approvals on the desk."""
        self._ask("POST", "/persons", {"desk_url": desk_url, "maker": maker, "approver": approver})

    def _ask(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        answer = self._client.request(method, path, json=body)
        if not answer.is_success:
            raise SandboxRefused(f"{method} {path}: HTTP {answer.status_code}: {answer.text[:500]}")
        return answer.json()
