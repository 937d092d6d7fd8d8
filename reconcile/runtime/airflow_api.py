"""What the daemon asks of Airflow, over its REST API."""

import time
from collections.abc import Generator, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Self

import httpx

REQUEST_LIMIT_SECONDS = 30
CONNECT_RETRIES = 6  # some 15 s in all: a part that died is back by then
TROUBLE_LIMIT_SECONDS = 30  # for so long it may answer that it cannot, as while its database is away
POLL_SECONDS = 0.2
LOG_LINES = 25
COMPONENTS = ("metadatabase", "scheduler", "dag_processor", "triggerer")


class AirflowNotReady(RuntimeError):  # noqa: N818 - says what is the matter
    """A part of Airflow does not answer, or a DAG is missing or cannot be imported."""


@dataclass(frozen=True)
class FailedTask:
    """A task that has used up its tries, with the end of its log."""

    dag_id: str
    task_id: str
    map_index: int
    log: str

    def __str__(self) -> str:
        which = f"{self.dag_id}.{self.task_id}" + (f"[{self.map_index}]" if self.map_index >= 0 else "")
        return f"the task {which} failed:\n{self.log}"


class AirflowApi:
    """Airflow at `url`, signed in as `user`. Close it after use (`with`)."""

    def __init__(self, url: str, user: str, password: str) -> None:
        self.url = url
        self._client = httpx.Client(
            base_url=url,
            auth=_Token(url, user, password),
            timeout=REQUEST_LIMIT_SECONDS,
            # Without the proxies of the environment, which have no business on the loopback address.
            transport=httpx.HTTPTransport(retries=CONNECT_RETRIES),
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._client.close()

    def wait_until_ready(self, dag_ids: Iterable[str], *, limit_seconds: float) -> None:
        """Return when all parts are alive and `dag_ids` are known. Raises `AirflowNotReady` with what is missing."""
        give_up = time.monotonic() + limit_seconds
        while missing := self._missing(set(dag_ids)):
            if time.monotonic() > give_up:
                raise AirflowNotReady(f"Airflow is not ready after {limit_seconds} s: {missing}")
            time.sleep(POLL_SECONDS)

    def trigger(self, dag_id: str) -> str:
        """Start a run of the DAG; its run id."""
        return str(self._post(f"/dags/{dag_id}/dagRuns", {"logical_date": None})["dag_run_id"])

    def state(self, dag_id: str, run_id: str) -> str:
        """queued, running, success or failed."""
        return str(self._get(f"/dags/{dag_id}/dagRuns/{run_id}")["state"])

    def is_idle(self) -> bool:
        """Whether no run of any DAG is queued or running."""
        return not self._active()

    def abandon_runs(self) -> None:
        """Fail the runs that an Airflow which was killed has left behind: nobody works on them any more.

        Airflow would find out by itself, after a while without heartbeats, and start nothing new until then.
        """
        for run in self._active():
            dag = f"/api/v2/dags/{run['dag_id']}"
            self._client.patch(f"{dag}/dagRuns/{run['dag_run_id']}", json={"state": "failed"}).raise_for_status()
            # The DAG keeps a note that it has as many runs as it may; nothing but reading its file again corrects that.
            token = self._get(f"/dags/{run['dag_id']}")["file_token"]
            self._client.put(f"/api/v2/parseDagFile/{token}").raise_for_status()

    def _active(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self._get("/dags/~/dagRuns", limit=100, state=["queued", "running"])["dag_runs"]
        return found

    def failed_tasks(self, since: datetime) -> list[FailedTask]:
        """Tasks that failed for good since that (machine) time."""
        found = self._get("/dags/~/dagRuns/~/taskInstances", limit=10, state="failed", end_date_gte=since.isoformat())
        return [self._failed(task) for task in found["task_instances"]]

    def _failed(self, task: dict[str, Any]) -> FailedTask:
        where = f"/dags/{task['dag_id']}/dagRuns/{task['dag_run_id']}/taskInstances/{task['task_id']}"
        lines: list[Any] = self._get(f"{where}/logs/{task['try_number']}", map_index=task["map_index"])["content"]
        return FailedTask(
            dag_id=task["dag_id"],
            task_id=task["task_id"],
            map_index=task["map_index"],
            log="\n".join(_line(line) for line in lines[-LOG_LINES:]),
        )

    def _missing(self, dag_ids: set[str]) -> str:
        try:
            health = self._get("/monitor/health")
            known = {dag["dag_id"] for dag in self._get("/dags", limit=100)["dags"]}
            broken = self._get("/importErrors", limit=1)["import_errors"]
        except httpx.HTTPError as error:
            return f"the API server does not answer ({type(error).__name__})"
        if broken:
            raise AirflowNotReady(f"{broken[0]['filename']} cannot be imported:\n{broken[0]['stack_trace']}")
        parts = [part for part in COMPONENTS if health[part]["status"] != "healthy"]
        return ", ".join([*(f"{part} is not healthy" for part in parts), *sorted(dag_ids - known)])

    def _get(self, path: str, **parameters: Any) -> Any:
        give_up = time.monotonic() + TROUBLE_LIMIT_SECONDS
        while True:
            answer = self._client.get(f"/api/v2{path}", params=parameters, headers={"Accept": "application/json"})
            if not answer.is_server_error or time.monotonic() > give_up:
                answer.raise_for_status()
                return answer.json()
            time.sleep(POLL_SECONDS)

    def _post(self, path: str, body: dict[str, Any]) -> Any:
        answer = self._client.post(f"/api/v2{path}", json=body)
        answer.raise_for_status()
        return answer.json()


class _Token(httpx.Auth):
    """Signs in at first, and again when the token is refused because it has expired."""

    requires_response_body = True

    def __init__(self, url: str, user: str, password: str) -> None:
        self._sign_in = httpx.Request("POST", f"{url}/auth/token", json={"username": user, "password": password})
        self._token: str | None = None

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        if self._token is not None:
            request.headers["Authorization"] = f"Bearer {self._token}"
            answer = yield request
            if answer.status_code not in {httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN}:
                return
        answer = yield self._sign_in
        if answer.is_success:
            self._token = str(answer.json()["access_token"])
            request.headers["Authorization"] = f"Bearer {self._token}"
        yield request


def _line(line: Any) -> str:
    """One line of a task's log, which is a record or plain text; a traceback's frames follow its message."""
    if not isinstance(line, dict):
        return str(line)
    errors = [f"    {each['exc_type']}: {each['exc_value']}" for each in line.get("error_detail") or ()]
    return "\n".join([str(line.get("event", "")), *errors])
