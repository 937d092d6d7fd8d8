"""`[retention]`: how long what is no longer needed is kept."""

from datetime import timedelta
from typing import Annotated

from pydantic import Field

from reconcile.config.values import Duration, Section


class Retention(Section):
    """How long what is no longer needed is kept. What the law asks for is the operator's to set."""

    messages: Duration = timedelta(days=90)
    landed: Duration = timedelta(days=90)
    published: Duration = timedelta(days=500)
    reports: Duration = timedelta(days=500)
    quarantine: Duration = timedelta(days=90)
    notices: Duration = timedelta(days=400)
    contacts: Duration = timedelta(days=400)
    job_runs: Duration = timedelta(days=90)
    unnamed: Annotated[Duration, Field(ge=timedelta(hours=1))] = timedelta(days=1)
