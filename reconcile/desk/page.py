"""What a page is made with: the world, the viewer, the texts, the formats and the templates."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Final

import jinja2
from fastapi import Depends
from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from reconcile.desk import sessions
from reconcile.desk.attempts import SignInAttempts
from reconcile.desk.monitor import Monitor
from reconcile.desk.numbers import Numbers
from reconcile.desk.roles import Permission
from reconcile.desk.sessions import Viewer
from reconcile.jobs.world import World
from reconcile.reports.formats import Formats
from reconcile.reports.templates import FOLDER as REPORT_TEMPLATES
from reconcile.reports.texts import DEFAULT_LANGUAGE, LANGUAGES, Language, Texts, as_language, texts_for

_HERE: Final = Path(__file__).resolve().parent
_TEXTS: Final = _HERE / "texts"


class Desk:
    """What all pages share."""

    def __init__(self, world: World) -> None:
        self.world: Final = world
        self.attempts: Final = SignInAttempts()
        self.monitor: Final = Monitor(world)
        self.templates: Final = jinja2.Environment(
            loader=jinja2.FileSystemLoader([_HERE / "templates", REPORT_TEMPLATES]),
            autoescape=True,
            undefined=jinja2.StrictUndefined,
            auto_reload=False,
            trim_blocks=True,
            lstrip_blocks=True,
        )

    @property
    def cookie(self) -> str:
        # A browser accepts `__Host-` only with Secure, from this very host: no neighbour can plant one.
        return "__Host-session" if self.world.configuration.desk.secure_cookies else "session"

    @property
    def zone(self) -> str:
        """The zone of the first flow: an operator's flows live in one country."""
        flows = self.world.configuration.flows
        return flows[0].zone if flows else "UTC"

    @property
    def region(self) -> str:
        """The country in which phone numbers are typed: that of the feeds."""
        feeds = self.world.configuration.feeds
        return feeds[0].region if feeds else "CI"

    def viewer(self, request: Request) -> Viewer | None:
        token = request.cookies.get(self.cookie)
        if not token:
            return None
        with self.world.database.begin() as connection:
            return sessions.find_viewer(connection, token)

    def html(self, template: str, *, language: Language, viewer: Viewer | None, **context: Any) -> str:
        """One rendered template; every template knows `t`, `f`, `n`, `viewer` and `now` (business time)."""
        shown = viewer is not None and viewer.may(Permission.SEE_NUMBERS)
        return self.templates.get_template(template).render(
            t=texts(language),
            f=Formats(language, self.zone),
            n=Numbers(self.region, shown=shown),
            viewer=viewer,
            language=language,
            now=self.world.clock.now(),
            **context,
        )


class Page:
    """One request of a signed-in viewer."""

    def __init__(self, request: Request) -> None:
        self.request: Final = request
        self.desk: Final = desk_of(request)
        self.world: Final = self.desk.world
        self.viewer: Final[Viewer] = request.state.viewer
        self.language: Final = as_language(self.viewer.account.language)
        self.texts: Final = texts(self.language)
        self.formats: Final = Formats(self.language, self.desk.zone)
        self.numbers: Final = Numbers(self.desk.region, shown=self.viewer.may(Permission.SEE_NUMBERS))

    def show(self, template: str, *, status: int = 200, **context: Any) -> Response:
        html = self.desk.html(
            template, language=self.language, viewer=self.viewer, path=self.request.url.path, **context
        )
        return HTMLResponse(html, status_code=status)

    def go(self, path: str) -> Response:
        """After a form: the browser fetches `path`, so that reloading it sends nothing again."""
        return RedirectResponse(path, status_code=303)


Viewing = Annotated[Page, Depends(Page)]
"""A route's parameter: the page that it makes."""


def desk_of(request: Request) -> Desk:
    """The one desk of the application that answers this request."""
    desk: Desk = request.app.state.desk
    return desk


def texts(language: Language) -> Texts:
    """The desk's texts and those it shares with the reports."""
    return texts_for(language, _TEXTS)


def preferred_language(headers: Headers) -> Language:
    """The first language of Accept-Language that the desk speaks; before sign-in nothing better is known."""
    for part in headers.get("accept-language", "").split(","):
        code = part.split(";")[0].strip().lower()[:2]
        for language in LANGUAGES:
            if code == language:
                return language
    return DEFAULT_LANGUAGE


def bare_page(
    request: Request, template: str, *, status: int, headers: Mapping[str, str] | None = None, **context: Any
) -> Response:
    """A page that may come before, or without, a viewer: the sign-in form and errors."""
    viewer: Viewer | None = getattr(request.state, "viewer", None)
    language = as_language(viewer.account.language) if viewer else preferred_language(request.headers)
    html = desk_of(request).html(template, language=language, viewer=viewer, path=request.url.path, **context)
    return HTMLResponse(html, status_code=status, headers=headers)
