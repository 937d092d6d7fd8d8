"""Telling people by whatever Apprise reaches: e-mail, a webhook, chat. Needs the extra `alerts`."""

import logging
from collections.abc import Sequence
from typing import Any, Final
from urllib.parse import quote

from reconcile.alerts.alert import OVER, Alert
from reconcile.config import ConfigurationError

_log: Final = logging.getLogger(__name__)
_WEBHOOKS: Final = frozenset({"json", "jsons", "xml", "xmls", "form", "forms"})
_MAIL: Final = frozenset({"mailto", "mailtos"})


class AlertsUnavailableError(RuntimeError):
    """The extra `alerts` is not installed."""


def tell(urls: Sequence[str], alert: Alert) -> bool:
    """Tells each address; whether at least one of them took it. Apprise's own time limits hold, some seconds for each."""
    reached = [_one(url, alert).notify(title=title(alert), body=body(alert), notify_type=_type(alert)) for url in urls]
    for number, took in enumerate(reached, start=1):
        if not took:
            _log.error(
                "an address did not take an alert", extra={"address": f"alerts.urls {number}", "alert": alert.key}
            )
    return any(reached)


def check(urls: Sequence[str]) -> None:
    """Raises `ConfigurationError` for an address that Apprise does not understand, by its place in the list alone."""
    for number, url in enumerate(urls, start=1):
        if not _apprise().Apprise().add(url):
            raise ConfigurationError(f"alerts.urls: address {number} is not one that Apprise understands")


def title(alert: Alert) -> str:
    """The same for all stages of one cause, so that mail programs and chats put them together."""
    return f"reconcile: {alert.kind}: {alert.subject} [{alert.key}]"


def body(alert: Alert) -> str:
    """How it stands, what it is, and since when."""
    if alert.stage == OVER:
        return f"over. It was: {alert.text}"
    return f"{alert.stage}: {alert.text}"


def _one(url: str, alert: Alert) -> Any:
    sender = _apprise().Apprise()
    if not sender.add(_keyed(url, alert)):
        raise ConfigurationError("alerts.urls holds an address that Apprise does not understand")
    return sender


def _keyed(url: str, alert: Alert) -> str:
    """The address with the alert's key where its kind has a place for it: a field of a webhook, a mail's thread."""
    scheme = url.partition("://")[0].lower()
    if scheme in _WEBHOOKS:
        extra = {":key": alert.key, ":stage": alert.stage, ":since": alert.since.isoformat()}
    elif scheme in _MAIL:
        extra = {"+References": f"<{alert.key}@reconcile>"}
    else:
        return url
    added = "&".join(f"{quote(name, safe='')}={quote(value, safe='')}" for name, value in extra.items())
    return f"{url}{'&' if '?' in url else '?'}{added}"


def _type(alert: Alert) -> str:
    return "success" if alert.stage == OVER else "failure"


def _apprise() -> Any:
    try:
        import apprise
    except ImportError as error:
        raise AlertsUnavailableError('alerts need more: pip install "reconcile[alerts]"') from error
    return apprise
