"""A small operator for the desk's tests: a few purchases, one outage, and what became of them, as rows and files."""

import gzip
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb
import sqlalchemy as sa

from reconcile import config
from reconcile.cases.dispositions import case_terms, with_evidence
from reconcile.desk.accounts import add_user
from reconcile.domain import ids
from reconcile.domain.clock import FixedClock
from reconcile.domain.confirmation import identity
from reconcile.domain.terms import evidence_hash
from reconcile.jobs.world import World
from reconcile.remedy import modes
from reconcile.store import audit
from reconcile.store import tables as t
from reconcile.store.database import Database
from reconcile.store.lake import Lake

NOW = datetime(2024, 7, 9, 15, 0, tzinfo=UTC)
PASSWORD = "correct horse battery"
PEOPLE = {
    "awa": "agent",
    "issa": "supervisor",
    "fatou": "supervisor",
    "odile": "auditor",
    "marc": "engineer",
    "root": "admin",
}
ENGLISH = {"marc"}
SECRET = b"sample"
LIMITS = modes.Limits(5_000, 20_000, 2_000_000, 5_000_000)
RUN = ids.derive("run", "topup", "1")
FRENCH_SMS = (
    "Vous avez achete {amount} FCFA d'unites pour le {account}. Frais: 0 FCFA. Nouveau solde: 12340 FCFA. "
    "ID Trans: {reference}. Gagnez 100% de bonus avec Max it, jusqu'a 10000 FCFA."
)


def at(clock: str) -> datetime:
    return datetime.fromisoformat(f"2024-07-09T{clock}").replace(tzinfo=UTC)


def reference(number: int) -> str:
    return f"RC240709.1345.A{number:05d}"


def case_id(number: int):
    return ids.confirmation_id("topup", identity("maxit", reference(number), f"m{number}"))


def case_number(number: int) -> str:
    return ids.case_number(case_id(number), SECRET)


INCIDENT = ids.derive("incident", "topup", "1")
CREDITED, WAITING, MISDIRECTED, REMEDIED, OVER = 1, 2, 3, 4, 5
IN_INCIDENT = range(10, 34)


def build(database_url: str, folder: Path, *, language: str = "fr", secure_cookies: bool = False) -> World:
    """A world at 15:00 with its people, lake and rows."""
    configuration = config.build(
        {
            "desk": {"secure_cookies": secure_cookies},
            "flow": [{"name": "topup", "asset": "XOF", "since": "2024-07-09T00:00:00Z", "zone": "Africa/Abidjan", "mode": "live"}],
            "feed": [
                {"name": "smsc", "flow": "topup", "side": "confirmation", "reader": "jsonl", "location": "in/*", "columns": {"message_id": "id"}},
                {"name": "ocs", "flow": "topup", "side": "ledger", "reader": "csv", "location": "in/*"},
            ],
        },
        home=folder,
        source="sample",
    )  # fmt: skip
    world = World(configuration, Database(database_url), Lake(str(folder / "lake")), FixedClock(NOW))
    _write_lake(world, folder)
    with world.database.begin() as connection:
        _people(connection, language)
        _rows(connection)
    return world


def _people(connection: sa.Connection, language: str) -> None:
    """Everybody with one password, which is hashed once: hashing is slow on purpose."""
    for name, role in PEOPLE.items():
        spoken = "en" if name in ENGLISH else language
        if name == "awa":
            add_user(connection, name, PASSWORD, role, display_name=name.title(), language=spoken)
            hashed = connection.execute(sa.select(t.users.c.password_hash)).scalar_one()
        else:
            values = {"username": name, "display_name": name.title(), "role": role, "language": spoken}
            connection.execute(sa.insert(t.users).values(**values, password_hash=hashed))


def _purchases():
    """(number, time, account, payer, amount) of every confirmation."""
    yield CREDITED, "13:40:12", "+2250707123456", "+2250707123456", 1050
    yield WAITING, "14:31:00", "+2250707123456", "+2250505000001", 2100
    yield MISDIRECTED, "12:10:05", "+2250101010101", "+2250101010101", 500
    yield REMEDIED, "12:20:30", "+2250102030405", "+2250102030405", 1050
    yield OVER, "11:00:00", "+2250544332211", "+2250544332211", 1050
    for number in IN_INCIDENT:
        minute = 45 + (number - 10) // 2
        yield number, f"13:{minute}:10", f"+22507{number:08d}", f"+22507{number:08d}", 1050


def _entries():
    """(key, number or None, time, account, amount, own key) of every ledger entry."""
    yield "e1", CREDITED, "13:40:20", "+2250707123456", 1050, None
    yield "e3", MISDIRECTED, "12:10:09", "+2250102020202", 500, None
    yield "e4", None, "12:41:00", "+2250102030405", 1050, str(ids.attempt_id(_intent(REMEDIED), 1))
    yield "e5", OVER, "11:00:05", "+2250544332211", 1050, None
    yield "e6", OVER, "11:00:06", "+2250544332211", 1050, None
    yield "e7", None, "10:15:00", "+2250598765432", 700, None


def _intent(number: int):
    return ids.intent_id(case_id(number), "recredit")


def _write_lake(world: World, folder: Path) -> None:
    landed = folder / "landed.jsonl.gz"
    with gzip.open(landed, "wt", encoding="utf-8") as lines:
        for number, clock, account, payer, amount in _purchases():
            text = FRENCH_SMS.format(amount=amount, account=f"0{account[5:]}", reference=reference(number))
            message = {
                "id": f"m{number}",
                "sender": "MaxIt",
                "recipient": payer,
                "text": text,
                "sent_at": at(clock).isoformat(),
            }
            lines.write(json.dumps(message) + "\n")
    world.lake.put(landed, "landed/smsc/one.jsonl.gz")
    told, posted = folder / "told.parquet", folder / "posted.parquet"
    with duckdb.connect() as connection:
        connection.execute("SET TimeZone = 'UTC'")
        connection.execute("""CREATE TABLE told (confirmation_id UUID, message_id VARCHAR, provider VARCHAR, match_key UUID,
            account_key UUID, reference VARCHAR, account VARCHAR, payer VARCHAR, asset VARCHAR, amount_minor BIGINT,
            product VARCHAR, outcome VARCHAR, confidence VARCHAR, confirmed_at TIMESTAMPTZ, batch_id UUID, feed VARCHAR,
            row_number BIGINT)""")
        connection.executemany(
            "INSERT INTO told VALUES (?, ?, 'maxit', ?, ?, ?, ?, ?, 'XOF', ?, NULL, 'success', 'high', ?, ?, 'smsc', ?)",
            [
                (
                    case_id(number), f"m{number}", ids.derive("k", reference(number), account), ids.derive("a", account),
                    reference(number), account, payer, amount, at(clock), batch("smsc"), row,
                )
                for row, (number, clock, account, payer, amount) in enumerate(_purchases(), start=1)
            ],
        )  # fmt: skip
        connection.execute(f"COPY told TO '{told}' (FORMAT parquet, COMPRESSION zstd)")
        connection.execute("""CREATE TABLE posted (entry_id UUID, match_key UUID, account_key UUID, reference VARCHAR,
            account VARCHAR, asset VARCHAR, amount_minor BIGINT, kind VARCHAR, own_key VARCHAR, posted_at TIMESTAMPTZ,
            batch_id UUID, feed VARCHAR, row_number BIGINT)""")
        connection.executemany(
            "INSERT INTO posted VALUES (?, ?, ?, ?, ?, 'XOF', ?, 'purchase', ?, ?, ?, 'ocs', ?)",
            [
                (
                    ids.entry_id("ocs", key), ids.derive("k", reference(number or 0), account), ids.derive("a", account),
                    reference(number) if number else None, account, amount, own, at(clock), batch("ocs"), row,
                )
                for row, (key, number, clock, account, amount, own) in enumerate(_entries(), start=1)
            ],
        )  # fmt: skip
        connection.execute(f"COPY posted TO '{posted}' (FORMAT parquet, COMPRESSION zstd)")
    matches = folder / "matches.parquet"
    with duckdb.connect() as connection:
        connection.execute("CREATE TABLE matches (confirmation_id UUID, entry_id UUID, pass VARCHAR)")
        connection.executemany(
            "INSERT INTO matches VALUES (?, ?, ?)",
            [
                (case_id(number), ids.entry_id("ocs", key), found_by)
                for number, key, found_by in (
                    (CREDITED, "e1", "reference"),
                    (OVER, "e5", "reference"),
                    (OVER, "e6", "reference"),
                    (REMEDIED, "e4", "own"),
                )
            ],
        )
        connection.execute(f"COPY matches TO '{matches}' (FORMAT parquet, COMPRESSION zstd)")
    world.lake.put(matches, "runs/1/matches.parquet")
    world.lake.put(told, "batches/told.parquet")
    world.lake.put(posted, "batches/posted.parquet")


def batch(feed: str):
    return ids.batch_id(feed, "sample")


def _rows(connection: sa.Connection) -> None:
    insert = connection.execute
    for feed, side, path, landed, rows in (
        ("smsc", "confirmation", "batches/told.parquet", "landed/smsc/one.jsonl.gz", 29),
        ("ocs", "ledger", "batches/posted.parquet", "landed/ocs/one.csv", 5),
    ):
        insert(
            sa.insert(t.feeds).values(feed=feed, flow="topup", side=side, grade="proven", watermark=NOW, updated_at=NOW)
        )
        values = {
            "batch_id": batch(feed),
            "feed": feed,
            "flow": "topup",
            "side": side,
            "source": path,
            "sha256": "sample",
        }
        insert(sa.insert(t.batches).values(**values, status="landed", landed_path=landed, landed_at=NOW))
        insert(
            sa.update(t.batches)
            .where(t.batches.c.feed == feed)
            .values(status="published", path=path, raw_rows=rows, published_rows=rows, published_at=NOW)
        )
    modes.activate(connection, flow="topup", mode="live", limits=LIMITS, actor="sandbox", reason="sample", now=NOW)
    insert(
        sa.insert(t.runs).values(
            run_id=RUN, flow="topup", sequence=1, path="runs/1", as_of=NOW, confirmation_watermark=NOW,
            ledger_watermark=NOW, grade="proven", new_rows=34, open_items=3,
        )
    )  # fmt: skip
    insert(
        sa.insert(t.incidents).values(
            incident_id=INCIDENT, number="I-2024-001", flow="topup", kind="credits", status="open",
            scope={"flow": "topup"}, started_at=at("13:45"), ended_at=at("14:20"), detected_at=at("14:05"),
            settle_until=at("14:55"), asset="XOF",
        )
    )  # fmt: skip
    insert(sa.update(t.incidents).values(status="recovered"))
    for number, clock, account, payer, amount in _purchases():
        if number == CREDITED:
            continue
        _case(connection, number, at(clock), account, payer, amount)
    _orphan(connection)
    _remedied(connection)
    misdirected = with_evidence(connection, case_number(MISDIRECTED))
    terms = case_terms(misdirected, LIMITS.version)
    insert(
        sa.insert(t.approvals).values(
            approval_id=ids.derive("approval", "3"), subject_kind="case", subject_id=case_id(MISDIRECTED),
            status="proposed", maker="policy", reason="misdirected: only a person may decide to pay it", terms=terms,
            evidence_hash=evidence_hash(terms), proposed_at=at("12:30"), expires_at=at("20:30"),
        )
    )  # fmt: skip
    insert(
        sa.insert(t.statements).values(
            flow="topup", asset="XOF", day=NOW.date(), run_id=RUN, verdict="breaks", lines=LINES
        )
    )


_KINDS = {WAITING: "never_credited", MISDIRECTED: "misdirected", REMEDIED: "never_credited", OVER: "over_credited"}
_DISPOSITIONS = {WAITING: "wait", MISDIRECTED: "await_approval", REMEDIED: "pay", OVER: "review"}


def _case(connection, number, confirmed_at, account, payer, amount) -> None:
    in_incident = number in IN_INCIDENT
    kind = _KINDS.get(number, "never_credited")
    owed = -1050 if kind == "over_credited" else amount
    disposition = "await_incident" if in_incident else _DISPOSITIONS[number]
    connection.execute(
        sa.insert(t.cases).values(
            case_id=case_id(number), number=case_number(number), flow="topup", status="open", kind=kind, version=1,
            account=account, payer=payer, reference=reference(number), message_id=f"m{number}", asset="XOF",
            confirmed_minor=amount, owed_minor=owed, confirmed_at=confirmed_at,
            deadline_at=confirmed_at + timedelta(minutes=15), decidable_at=confirmed_at + timedelta(minutes=15),
            detected_at=confirmed_at + timedelta(minutes=20), grade="proven", disposition=disposition,
            disposition_reason="the outage lasts, or late originals may still land", owner="policy",
            incident_id=INCIDENT if in_incident else None,
        )
    )  # fmt: skip
    evidence = {
        "passes": [
            {"pass": "own", "found": "no entry carries a key of ours"},
            {"pass": "reference", "found": "no entry has this reference on this account"},
            {"pass": "identity", "found": "no free entry of the same account and amount within the window"},
        ],
        "confirmation_ids": [str(case_id(number))],
        "entry_ids": [],
    }
    connection.execute(
        sa.insert(t.verdicts).values(
            case_id=case_id(number), version=1, kind=kind, credited_minor=amount - owed, own_minor=0, owed_minor=owed,
            evidence=evidence, run_id=RUN, at=confirmed_at + timedelta(minutes=20),
        )
    )  # fmt: skip
    audit.record(
        connection, at=confirmed_at + timedelta(minutes=20), actor="job:fold_flow", action="case opened",
        subject=("case", str(case_id(number))), reason=kind,
    )  # fmt: skip


def _remedied(connection) -> None:
    """The case that went all the way: intent, a lost reply, notices, a promise kept, closed."""
    run, intent, one = connection.execute, _intent(REMEDIED), case_id(REMEDIED)
    attempt = ids.attempt_id(intent, 1)
    run(
        sa.insert(t.intents).values(
            intent_id=intent, case_id=one, flow="topup", component="recredit", status="planned",
            account="+2250102030405", asset="XOF", amount_minor=1050, purchase_minor=1050, reference=reference(4),
            message_id="m4", verdict_version=1, policy_version="p1", reason="proven, within policy",
            planned_at=at("12:40:30"), sent_at=at("12:40:40"), credited_at=at("12:41:00"), verified_at=at("12:45:00"),
        )
    )  # fmt: skip
    for status in ("approved", "reserved", "executing", "credited", "verified"):
        run(sa.update(t.intents).where(t.intents.c.intent_id == intent).values(status=status))
    run(
        sa.insert(t.attempts).values(
            attempt_id=attempt, intent_id=intent, number=1, status="created", payload=b"{}", payload_sha256="00",
            created_at=at("12:40:40"), sent_at=at("12:40:40"), ended_at=at("12:41:00"),
        )
    )  # fmt: skip
    for status in ("sending", "unknown", "confirmed"):
        run(sa.update(t.attempts).where(t.attempts.c.attempt_id == attempt).values(status=status))
    for clock, action, http_status, meaning in (
        ("12:40:41", "send", None, "unknown"),
        ("12:40:52", "ask", 200, "completed"),
    ):
        run(
            sa.insert(t.observations).values(
                attempt_id=attempt, at=at(clock), action=action, http_status=http_status, meaning=meaning
            )
        )
    for event, clock, text in (
        (
            "detected",
            "12:40:31",
            "Max it: vos 1 050 FCFA d'unites achetes a 12h20 (RC240709.1345.A00004) ne sont pas encore arrivés.",
        ),
        ("credited", "12:45:03", "Max it: vos 1 050 FCFA d'unites (RC240709.1345.A00004) ont ete crédités à 12h41."),
    ):
        notice = ids.notice_id(one, event, "sms")
        run(
            sa.insert(t.notices).values(
                notice_id=notice, case_id=one, event=event, channel="sms", status="planned", recipient="+2250102030405",
                language="fr", facts={}, planned_at=at(clock),
            )
        )  # fmt: skip
        for status in ("submitting", "submitted", "delivered"):
            values = {"text": text, "parts": 1, "submitted_at": at(clock), "delivered_at": at(clock)}
            run(sa.update(t.notices).where(t.notices.c.notice_id == notice).values(status=status, **values))
    promise = ids.derive("promise", "4")
    times = {"from_at": at("12:40:31"), "due_at": at("13:40:31"), "made_at": at("12:40:31")}
    run(sa.insert(t.promises).values(promise_id=promise, case_id=one, kind="news_by", status="open", **times))
    run(sa.update(t.promises).values(status="kept", ended_at=at("12:45:03")))
    run(
        sa.update(t.cases)
        .where(t.cases.c.case_id == one)
        .values(status="remedied", credited_at=at("12:41:00"), owed_minor=0)
    )
    run(
        sa.update(t.cases)
        .where(t.cases.c.case_id == one)
        .values(status="closed", closed_at=at("12:45:00"), disposition="done")
    )
    run(
        sa.insert(t.verdicts).values(
            case_id=one, version=2, kind="settled", credited_minor=0, own_minor=1050, owed_minor=0, run_id=RUN,
            evidence={"passes": [{"pass": "own", "found": "our own credit"}]}, at=at("12:45:00"),
        )
    )  # fmt: skip
    run(
        sa.insert(t.directory).values(
            account="+2250102030405", language="fr", channel="sms", opted_out=False, updated_at=at("06:00")
        )
    )


ORPHAN = ids.case_number(ids.entry_id("ocs", "e7"), SECRET)


def _orphan(connection) -> None:
    """A credit without a purchase: its case has the id of its entry, and was never confirmed."""
    entry = ids.entry_id("ocs", "e7")
    connection.execute(
        sa.insert(t.cases).values(
            case_id=entry, number=ORPHAN, flow="topup", status="open", kind="orphan_credit", version=1,
            account="+2250598765432", asset="XOF", confirmed_minor=0, owed_minor=-700, deadline_at=at("10:30"),
            detected_at=at("10:35"), credited_at=at("10:15"), grade="proven", disposition="review",
            disposition_reason="a credit that no confirmation explains", owner="queue:orphan_credits",
        )
    )  # fmt: skip
    connection.execute(
        sa.insert(t.verdicts).values(
            case_id=entry, version=1, kind="orphan_credit", credited_minor=700, own_minor=0, owed_minor=-700,
            evidence={"passes": [], "confirmation_ids": [], "entry_ids": [str(entry)]}, run_id=RUN, at=at("10:35"),
        )
    )  # fmt: skip


def line(rows: int, minor: int) -> dict[str, int]:
    return {"rows": rows, "minor": minor}


LINES = {
    "opening": line(0, 0),
    "sides": {
        "confirmation": {
            "confirmed": line(29, 30_950), "credited": line(2, 2_100), "fees": line(0, 0), "recredited": line(1, 1_050),
            "pending": line(0, 0), "owed": line(26, 27_800), "retracted": line(0, 0), "written_off": line(0, 0),
        },
        "ledger": {
            "posted": line(4, 3_650), "credited": line(2, 2_100), "over": line(1, 1_050), "orphan": line(0, 0),
            "misdirected": line(1, 500), "unclaimed": line(0, 0),
        },
        "own": {"posted": line(1, 1_050), "recredited": line(1, 1_050), "over": line(0, 0)},
    },
    "closing": line(26, 27_800),
}  # fmt: skip
