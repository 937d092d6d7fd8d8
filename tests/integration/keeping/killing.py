"""Work on a town that is killed at a chosen moment, in a process of its own."""

import os
import signal
import subprocess
import sys
from typing import Any

from tests.integration.keeping.conftest import Town

LIMIT_SECONDS = 120
SCRIPT = """
import datetime, sys
sys.path[:0] = {path!r}
from pathlib import Path
from reconcile.store.database import Database
from tests.integration.keeping.conftest import Town
from tests.integration.keeping.killing import die_at
{needs}

{moment}
town = Town(Path({folder!r}), Database({url!r}))
town.at({now!r})
{work}
"""


def die_at(owner: Any, name: str, number: int) -> None:
    """The process dies in place of the call of that number."""
    real, calls = getattr(owner, name), []

    def counted(*args: Any, **kwargs: Any) -> Any:
        calls.append(1)
        if len(calls) == number:
            os.kill(os.getpid(), signal.SIGKILL)
        return real(*args, **kwargs)

    setattr(owner, name, counted)


def killed(town: Town, *, needs: str, moment: str, work: str) -> None:
    """Has Python text work on the `town` and die at the `moment`: a call of `die_at` on what the imports in `needs` give."""
    script = SCRIPT.format(
        path=sys.path,
        needs=needs,
        moment=moment,
        folder=str(town.folder),
        url=town.database.url.render_as_string(hide_password=False),
        now=town.world.clock.now(),
        work=work,
    )
    done = subprocess.run([sys.executable, "-c", script], check=False, capture_output=True, timeout=LIMIT_SECONDS)
    assert done.returncode == -signal.SIGKILL, done.stderr
