import secrets
from datetime import timedelta
from typing import Annotated, Final

from fastapi import APIRouter, Form
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from reconcile.desk import sessions
from reconcile.desk.accounts import USERNAME_CHARACTERS_MAX, authenticate, choose_language
from reconcile.desk.guard import needs
from reconcile.desk.page import Desk, Viewing, bare_page, desk_of
from reconcile.desk.roles import Permission
from reconcile.reports.texts import as_language
from reconcile.store import audit

router = APIRouter()

FORM_COOKIE_SECONDS: Final = 3600
_SHORT: Final = {"max_length": 400}


@router.get("/sign-in")
def form(request: Request, next: str = "/") -> Response:  # noqa: A002 - the query's own name
    """The form; `next` is the page to come back to."""
    return _form(request, desk_of(request), come_back=next, status=200)


@router.post("/sign-in")
def sign_in(
    request: Request,
    username: Annotated[str, Form(**_SHORT)],
    password: Annotated[str, Form(**_SHORT)],
    csrf_token: Annotated[str, Form(**_SHORT)] = "",
    next: Annotated[str, Form(**_SHORT)] = "/",  # noqa: A002 - the form's own name
) -> Response:
    """Opens a session; the answer is equally slow, and says the same, for a wrong name and a wrong password."""
    """The form, with the page to come back to."""
    desk = desk_of(request)
    # Before there is a session, the form's token is checked against a cookie that only this host can have set.
    planted = request.cookies.get(_form_cookie(desk), "")
    if not planted or not secrets.compare_digest(planted.encode(), csrf_token.encode()):
        return _form(request, desk, come_back=next, status=403, problem="sign_in.stale")
    username = username.strip()[:USERNAME_CHARACTERS_MAX]
    wait_seconds = desk.attempts.begin(username)
    if wait_seconds:
        return _form(request, desk, come_back=next, status=429, problem="sign_in.wait", minutes=-(-wait_seconds // 60))
    world = desk.world
    with world.database.begin() as connection:
        account = authenticate(connection, username, password)
        if account is not None:
            token = sessions.open_session(connection, account, hours=world.configuration.desk.session_hours)
            audit.record(
                connection,
                at=world.clock.now(),
                actor=f"user:{account.username}",
                action="signed in",
                subject=("user", account.username),
                reason="user name and password",
            )
    if account is None:
        return _form(request, desk, come_back=next, status=401, problem="sign_in.wrong")
    desk.attempts.succeeded(username)
    response = RedirectResponse(_local(next), status_code=303)
    _set_cookie(response, desk, desk.cookie, token, timedelta(hours=world.configuration.desk.session_hours))
    response.delete_cookie(_form_cookie(desk), secure=world.configuration.desk.secure_cookies)
    return response


@router.post("/sign-out", dependencies=[needs(Permission.SEE_CASES)])
def sign_out(page: Viewing) -> Response:
    """Ends this session alone."""
    token = page.request.cookies.get(page.desk.cookie, "")
    with page.world.database.begin() as connection:
        sessions.close_session(connection, token)
    response = page.go("/sign-in")
    response.delete_cookie(page.desk.cookie, secure=page.world.configuration.desk.secure_cookies)
    return response


@router.post("/language", dependencies=[needs(Permission.SEE_CASES)])
def language(
    page: Viewing,
    choice: Annotated[str, Form(max_length=2)],
    next: Annotated[str, Form(**_SHORT)] = "/",  # noqa: A002 - the form's own name
) -> Response:
    """Remembers the language in which this person reads."""
    with page.world.database.begin() as connection:
        choose_language(connection, page.viewer.username, as_language(choice))
    return page.go(_local(next))


def _form(
    request: Request, desk: Desk, *, come_back: str, status: int, problem: str | None = None, minutes: int = 0
) -> Response:
    token = request.cookies.get(_form_cookie(desk)) or secrets.token_urlsafe(sessions.TOKEN_BYTES)
    response = bare_page(
        request,
        "sign_in.html",
        status=status,
        csrf_token=token,
        come_back=_local(come_back),
        problem=problem,
        minutes=minutes,
    )
    _set_cookie(response, desk, _form_cookie(desk), token, timedelta(seconds=FORM_COOKIE_SECONDS))
    return response


def _form_cookie(desk: Desk) -> str:
    return f"{desk.cookie}-form"


def _set_cookie(response: Response, desk: Desk, name: str, value: str, life: timedelta) -> None:
    response.set_cookie(
        name,
        value,
        max_age=int(life.total_seconds()),
        path="/",
        httponly=True,
        samesite="lax",
        secure=desk.world.configuration.desk.secure_cookies,
    )


def _local(path: str) -> str:
    """A path of this desk, whatever a link says: two slashes, or a slash and a backslash, would leave it."""
    return path if path.startswith("/") and not path.startswith(("//", "/\\")) and path.isprintable() else "/"
