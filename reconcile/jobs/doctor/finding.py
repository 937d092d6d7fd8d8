from dataclasses import dataclass
from typing import Literal

Level = Literal["ok", "warning", "failure"]


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at: its subject, how it is, a sentence for a person, and what that person should do."""

    subject: str
    level: Level
    text: str
    todo: str = ""
