"""Sandbox persons: two people who do a round of approvals on the desk, over its own pages, as people would."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Final
from urllib.parse import urlsplit

import httpx

from reconcile.sandbox.html_form import Form, Page, read_page

USER_AGENT: Final = "sandbox person"
PAGES_PER_ROUND_MAX: Final = 2_000
PAGE_TIMEOUT_SECONDS: Final = 30.0
PAGE_MAX_BYTES: Final = 2_000_000
_OWN_WORDS: Final = "Sandbox person: confirmed to the customer, not on the ledger."
_HIDDEN_FIELDS: Final = frozenset({"csrf_token", "evidence_hash"})
_LOCAL_HOSTS: Final = frozenset({"127.0.0.1", "localhost"})
# Where work lies, and how a link to it is marked.
_QUEUES: Final = (("/incidents", "incident"), ("/approvals", "case"))


class PersonError(Exception):
    """The desk did not let a person work: the message says where."""


@dataclass(frozen=True, slots=True)
class Account:
    """Who signs in."""

    username: str
    password: str


@dataclass(slots=True)
class Round:
    """What one person did: pages opened, forms sent and accepted, forms refused."""

    pages: int = 0
    sent: int = 0
    refused: int = 0


async def do_round(desk_url: str, maker: Account, approver: Account) -> dict[str, object]:
    """The maker proposes whatever can be proposed, then the approver approves whatever may be approved.

    Raises PersonError when the desk cannot be reached, does not let them in, or has more pages than a round allows.
    """
    if urlsplit(desk_url).hostname not in _LOCAL_HOSTS:
        raise PersonError("sandbox persons work on this machine's desk alone")
    return {
        "maker": asdict(await _work(desk_url, maker, "propose")),
        "approver": asdict(await _work(desk_url, approver, "approve")),
    }


async def _work(desk_url: str, account: Account, form_id: str) -> Round:
    headers = {"User-Agent": USER_AGENT}
    async with httpx.AsyncClient(
        base_url=desk_url, headers=headers, timeout=PAGE_TIMEOUT_SECONDS, trust_env=False
    ) as client:
        person = _Person(client, Round())
        try:
            await person.sign_in(account)
            for queue, mark in _QUEUES:
                for address in dict.fromkeys((await person.read(queue)).links.get(mark, [])):
                    form = (await person.read(address)).form(form_id)
                    if form is not None:
                        await person.send(address, form)
        except httpx.HTTPError as error:
            raise PersonError(f"the desk did not answer: {type(error).__name__}") from error
        return person.round


@dataclass(slots=True)
class _Person:
    client: httpx.AsyncClient
    round: Round

    async def sign_in(self, account: Account) -> None:
        page = await self.read("/sign-in")
        form = next((form for form in page.forms if "password" in form.fields), None)
        if form is None:
            raise PersonError("the sign-in page has no form with a password")
        filled = form.fields | {"username": account.username, "password": account.password}
        answer = await self._post(form.action or "/sign-in", filled)
        if not answer.has_redirect_location:
            raise PersonError(f"the desk did not let the person in: HTTP {answer.status_code}")

    async def read(self, address: str) -> Page:
        self._count_page()
        answer = await self.client.get(address, follow_redirects=True)
        if not answer.is_success:
            raise PersonError(f"the desk answered HTTP {answer.status_code} for a page that it links to")
        return read_page(answer.text[:PAGE_MAX_BYTES])

    async def send(self, address: str, form: Form) -> None:
        """Send a form as it is prefilled; words are only put where it was left empty."""
        answer = await self._post(form.action or address, _with_words(form.fields))
        if answer.is_success or answer.has_redirect_location:
            self.round.sent += 1
        else:
            self.round.refused += 1

    async def _post(self, address: str, fields: Mapping[str, str]) -> httpx.Response:
        self._count_page()
        return await self.client.post(address, data=dict(fields), follow_redirects=False)

    def _count_page(self) -> None:
        self.round.pages += 1
        if self.round.pages > PAGES_PER_ROUND_MAX:
            raise PersonError(f"more than {PAGES_PER_ROUND_MAX} pages in one round")


def _with_words(fields: Mapping[str, str]) -> dict[str, str]:
    return {name: value or ("" if name in _HIDDEN_FIELDS else _OWN_WORDS) for name, value in fields.items()}
