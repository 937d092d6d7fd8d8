from dataclasses import dataclass
from datetime import datetime
from typing import Final

OVER: Final = "over"
"""The stage of an alert whose cause has gone."""


@dataclass(frozen=True, slots=True)
class Alert:
    """Something that needs a person. `key` is the same for as long as its cause lasts; a new `stage` is news, a new `text`
    is not. Neither holds anything of a customer.
    """

    key: str
    kind: str
    subject: str
    stage: str
    text: str
    since: datetime
