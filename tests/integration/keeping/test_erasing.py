"""A customer is forgotten: the number is looked for in every table and every file that there is."""

import gzip
import json
import re
from datetime import timedelta

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import sqlalchemy as sa
from pyarrow import ipc

from reconcile.domain.refusal import NotAllowedError
from reconcile.domain.traces import Traces
from reconcile.jobs.erasing import erase
from reconcile.jobs.write_report import write_report
from reconcile.keeping import person
from reconcile.matching import dormant, state
from reconcile.store import accounts, audit, instance
from tests.integration.feeds.conftest import entry, message
from tests.integration.keeping.conftest import FIRST, LATE, MOVED, NUMBERS, Town
from tests.integration.keeping.killing import killed

GONE, STAYS, _ = NUMBERS
CASE = "11111111-1111-5111-8111-111111111111"
OTHER = "22222222-2222-5222-8222-222222222222"


def everywhere(town: Town, traces: Traces) -> list[str]:
    """Every table and column, every file of the lake and of the reports, that names the number."""
    found = []
    columns = town.query(
        "select table_name, column_name, data_type from information_schema.columns where table_schema = current_schema()"
    )
    for row in columns:
        name = f'"{row["column_name"]}"'
        text = f"encode({name}, 'escape')" if row["data_type"] == "bytea" else f"{name}::text"
        query = f'select count(*) as n from "{row["table_name"]}" where {text} ~ :expression'
        if town.query(query, expression=traces.expression)[0]["n"]:
            found.append(f"{row['table_name']}.{row['column_name']}")
    for path in sorted(town.folder.rglob("*")):
        if path.is_file() and "inbox" not in path.parts:
            content = path.read_bytes()
            if path.name.endswith(".gz"):
                content = gzip.decompress(content)
            elif path.suffix == ".parquet":
                content = str(pq.read_table(path).to_pylist()).encode()
            elif path.suffix == ".arrow":
                content = str(ipc.open_file(path).read_all().to_pylist()).encode()
            if traces.in_bytes(content):
                found.append(path.relative_to(town.folder).as_posix())
    return found


class Words:
    """The same search for another text."""

    def __init__(self, text: str) -> None:
        self.expression, self._text = re.escape(text), text.encode()

    def in_bytes(self, content: bytes) -> bool:
        return self._text in content


def remembered(town: Town, *, closed=True):
    """A case of the customer with all that may hang on one: a paid re-credit, an approval, notices, contacts."""
    run = town.query("select run_id from runs order by sequence desc limit 1")[0]["run_id"]
    text = """
        insert into cases (case_id, number, flow, status, kind, version, account, payer, reference, message_id, asset,
            confirmed_minor, owed_minor, confirmed_at, detected_at, grade, disposition, disposition_reason, owner)
        values (:case, 'K7M2-QX4D', 'topup', 'open', 'never_credited', 1, :gone, :stays, 'RCX', 'MX', 'XOF', 1050, 0,
                '2024-07-09', '2024-07-09', 'proven', 'done', 'x', 'policy'),
            (:other, 'K7M2-QX4F', 'topup', 'open', 'never_credited', 1, :stays, :gone, 'RCY', 'MY', 'XOF', 2100, 0,
                '2024-07-09', '2024-07-09', 'proven', 'done', 'x', 'policy');
        insert into verdicts values (:case, 1, 'never_credited', 0, 0, 1050, '{"passes": []}', :run, '2024-07-09');
        insert into approvals (approval_id, subject_kind, subject_id, status, maker, reason, terms, evidence_hash, proposed_at,
            expires_at) values (:case, 'case', :case, 'proposed', 'awa', 'x',
            jsonb_build_object('account', :gone, 'amount_minor', 1050), 'hash', '2024-07-09', '2024-07-10');
        update approvals set status = 'approved', approver = 'issa';
        insert into intents (intent_id, case_id, flow, component, status, account, asset, amount_minor, purchase_minor,
            verdict_version, policy_version, reason, planned_at) values (:case, :case, 'topup', 'recredit', 'planned', :gone,
            'XOF', 1050, 1050, 1, '1', 'x', '2024-07-09');
        update intents set status = 'approved'; update intents set status = 'reserved';
        update intents set status = 'executing';
        insert into attempts (attempt_id, intent_id, number, status, payload, payload_sha256, created_at)
            values (:case, :case, 1, 'created', convert_to('{"creditParty": "' || :gone || '"}', 'UTF8'), 'sha', '2024-07-09');
        update attempts set status = 'sending'; update attempts set status = 'confirmed';
        insert into postings values (:case, :case, 'budget', 'reserve', 'XOF', 1050, '2024-07-09');
        insert into notices (notice_id, case_id, event, channel, status, recipient, language, facts, text, planned_at)
            values (:case, :case, 'credited', 'sms', 'planned', :stays, 'fr',
                jsonb_build_object('account', :gone, 'payer', :stays, 'number', 'K7M2-QX4D'), 'pour le 0707123456', '2024-07-09'),
            (:other, :other, 'credited', 'email', 'planned', 'a.kone@example.org', 'fr',
                jsonb_build_object('account', :stays, 'payer', :gone, 'number', 'K7M2-QX4F'), 'Bonjour', '2024-07-09');
        update notices set status = 'submitting'; update notices set status = 'submitted';
        insert into contacts values (gen_random_uuid(), :gone, :case, 'desk', 'found', 'awa', '2024-07-09');
        insert into directory (account, language, email, channel, opted_out, updated_at)
            values (:gone, 'fr', 'a.kone@example.org', 'email', true, '2024-07-09')
            on conflict do nothing;
        """
    settled = """
        update intents set status = 'credited'; update intents set status = 'verified';
        update cases set status = 'remedied' where status = 'open'; update cases set status = 'closed', closed_at = '2024-07-09' where status = 'remedied';
        """
    with town.database.begin() as connection:
        for statement in (text + (settled if closed else "")).split(";"):
            if statement.strip():
                values = {"case": CASE, "other": OTHER, "gone": GONE, "stays": STAYS, "run": run}
                used = {name: value for name, value in values.items() if f":{name}" in statement}
                connection.execute(sa.text(statement), used)
        audit.record(
            connection, at=FIRST, actor="job:test", action="tried", subject=("case", CASE), reason="a test", evidence={}
        )
        audit.seal(connection)
    return town


def kept_back(town: Town):
    """Rows of the customer that never were published: one in quarantine that somebody dismissed, a bonus, a directory row."""
    lines = [
        entry("B1", account=GONE, amount="?"), entry("B2", account=GONE, kind="BONUS"), *(entry(f"F{n}", account=STAYS) for n in range(30)),
    ]  # fmt: skip
    town.ledger("090.csv", lines, through=LATE)
    town.deliver(
        "directory", "1.csv", f"msisdn;language;email;channel;opt_out\n{GONE};fr;a.kone@example.org;email;yes\n", rows=1,
        through=LATE,
    )  # fmt: skip
    town.take("ocs")
    town.take("directory")
    town.fold()
    town.query("update quarantine set status = 'dismissed', resolved_at = quarantined_at returning 1")
    return town


def forget(town: Town):
    return erase(town.world, GONE, reason="the customer asked", actor="user:odile")


def test_nothing_names_the_number_any_more_and_nothing_else_has_changed(moved_town: Town):
    town = moved_town
    remembered(kept_back(town))
    write_report(town.world, FIRST.date())
    town.keep()
    traces, other = Traces(GONE), Traces(STAYS)
    assert len(everywhere(town, traces)) > 15, "it is everywhere before"
    statements, money = town.statements(), town.query("select * from postings")
    seen_of_others = [one for one in everywhere(town, other) if not one.startswith(("runs/", "lake/runs"))]
    sums = town.query(
        "select flow, count(*), sum(confirmed_minor), count(distinct coalesce(payer, account)) from cases group by 1"
    )

    counts = forget(town)

    assert everywhere(town, traces) == []
    assert everywhere(town, Words("a.kone@example.org")) == []
    assert counts["cases"] == 3
    assert counts["attempts"] == counts["intents"] == counts["approvals"] == 1
    assert counts["notices"] == 2
    # The state has forgotten what closed before the horizon.
    assert min(counts["landed files"], counts["published files"]) > 0 == counts["states"]
    assert town.statements() == statements
    assert town.query("select * from postings") == money
    assert sums == town.query(
        "select flow, count(*), sum(confirmed_minor), count(distinct coalesce(payer, account)) from cases group by 1"
    )
    left = everywhere(town, other)
    assert [
        one for one in seen_of_others if "/landed/" not in one and "/published/" not in one and one not in left
    ] == []
    with town.database.begin() as connection:
        audit.seal(connection)
        audit.verify(connection)
        name = accounts.pseudonym(connection, GONE)
        assert accounts.suppressed(connection, [GONE, STAYS]) == {GONE}, "who had opted out stays so"
    bought = [row for row in town.published("smsc") if row["account"] == name]
    assert len({row["confirmation_id"] for row in bought}) == 8
    assert len({row["account_key"] for row in bought}) == 1
    assert bought[0]["account_key"] not in {
        row["account_key"] for row in town.published("smsc") if row["account"] != name
    }
    # The day goes on.
    town.keep()
    town.trade(50, MOVED + timedelta(days=1))
    assert town.query("select count(*) as n from cases")[0]["n"] == 3


def reaches_back(town: Town):
    """The first customer buys for the second, waits hours for a credit of her own, and is not matched any more nine days later; the
    state remembers her verdict, because a late delivery of the second one reaches back to that time.
    """
    for_another = LATE + timedelta(minutes=30)
    deliver(town, LATE + timedelta(hours=1), [("901", GONE, STAYS, for_another, for_another)])
    waited = LATE + timedelta(hours=2)
    deliver(town, LATE + timedelta(hours=5), [("902", GONE, GONE, waited, waited + timedelta(hours=2))])
    long_ago, now = LATE - timedelta(hours=2), LATE + timedelta(days=9)
    deliver(town, now, [("903", STAYS, STAYS, long_ago, long_ago), ("904", STAYS, STAYS, now, now)])
    return town


def deliver(town: Town, through, purchases):
    """One delivery on each feed: the number of each purchase, who pays, who is credited, when told and when credited, if ever."""
    told, posted = [], []
    for name, payer, account, told_at, posted_at in purchases:
        before = (told_at - timedelta(seconds=9)).isoformat()
        text = (
            f"Vous avez achete 700 FCFA d'unites pour le {account[4:]}. Frais: 0 FCFA. Nouveau solde: 5 FCFA. "
            f"ID Trans: RC{name}.A00011."
        )
        told.append(message(name, text, recipient=payer, at=before))
        if posted_at is not None:
            at = (posted_at - timedelta(seconds=5)).strftime("%Y-%m-%d %H:%M:%S")
            posted.append(entry(name, account=account, amount="700", reference=f"RC{name}.A00011", at=at))
    town.at(through)
    town.messages(f"{through:2%m%d%H}.jsonl.gz", told, through=through)
    town.ledger(f"{through:2%m%d%H}.csv", posted, through=through)
    town.take("smsc")
    town.take("ocs")
    town.fold()


def owed(town: Town, payer: str, account: str, *, since=LATE):
    """A purchase that is never credited, whose case a person has closed; nine days later it sleeps, and only there are its rows."""
    deliver(town, since + timedelta(hours=1), [("801", payer, account, since + timedelta(minutes=30), None)])
    now = since + timedelta(days=9)
    deliver(town, now, [("802", STAYS, STAYS, now, now)])
    with town.database.begin() as connection:
        for status in ("remedied", "closed"):
            at = ", closed_at = now()" if status == "closed" else ""
            connection.execute(sa.text(f"update cases set status = '{status}'{at}"))
    return now


def credited(town: Town, through):
    """What was owed comes after all."""
    town.at(through)
    town.messages("credit.jsonl.gz", [], through=through)
    at = (through - timedelta(minutes=30)).strftime("%Y-%m-%d %H:%M:%S")
    credit = entry("801", account=STAYS, amount="700", reference="RC801.A00011", at=at)
    town.ledger("credit.csv", [credit], through=through)
    town.take("smsc")
    town.take("ocs")
    town.fold()


def asleep(town: Town, table: str):
    """Rows of a table of what sleeps, without the numbers of components."""
    (run,) = town.query("select path from runs order by sequence desc limit 1")
    lake = town.folder / "lake"
    rows = dormant.asleep(lake / "keys/topup", state.read(lake / run["path"], "topup").sleepers, table)
    return [] if rows is None else rows.drop_columns(["component"]).to_pylist()


def state_of(town: Town):
    """Every file of the newest run's folder: rows, or text."""
    (run,) = town.query("select path from runs order by sequence desc limit 1")
    folder = town.folder / "lake" / run["path"]
    return folder, {
        file.name: pq.read_table(file).to_pylist() if file.suffix == ".parquet" else file.read_bytes()
        for file in sorted(folder.iterdir())
    }


def test_a_state_that_names_the_number_is_copied_with_nothing_else_changed_and_the_next_fold_goes_on(town: Town):
    reaches_back(town)
    # A message that she paid for stands beside a break of the second customer.
    folder, _ = state_of(town)
    (beside,) = [row for row in town.published("smsc") if row["message_id"] == "901"]
    heard = pq.read_table(folder / state.HEARD)
    row = {column: beside.get(column) for column in heard.column_names} | {"heard_for": beside["confirmation_id"]}
    schema = pa.schema([field.with_nullable(True) for field in heard.schema])
    pq.write_table(pa.Table.from_pylist([row], schema=schema), folder / state.HEARD)
    _, before = state_of(town)
    (verdict,) = asleep(town, "verdict")
    assert (verdict["account"], before[state.JUDGED]) == (GONE, []), "it sleeps"
    assert not any(asleep(town, table) for table in ("confirmation", "entry", "heard"))
    cases, statements = town.query("select case_id, version, kind, status from cases"), town.statements()

    assert forget(town)["states"] == 1

    assert everywhere(town, Traces(GONE)) == []
    copy, after = state_of(town)
    assert copy != folder
    with town.database.begin() as connection:
        name = accounts.pseudonym(connection, GONE)
    verdict |= {"account": name, "payer": name}
    before[state.HEARD][0] |= {"payer": name}
    del before["matches.parquet"]  # merged with those of the day, and names nobody
    manifests = [json.loads(files.pop(state.MANIFEST)) for files in (before, after)]
    assert [bool(manifest.pop("sleepers")["segments"]) for manifest in manifests] == [True, False], "nothing sleeps"
    assert manifests[0] == manifests[1]
    assert {file: after[file] for file in before} == before | {state.JUDGED: [verdict]}
    next_day = LATE + timedelta(days=10)
    deliver(town, next_day, [("905", STAYS, STAYS, next_day, next_day)])
    assert town.query("select case_id, version, kind, status from cases") == cases
    assert asleep(town, "verdict") == [verdict]
    past = [row for row in statements if row["day"] < LATE.date()]
    assert [row for row in town.statements() if row["day"] < LATE.date()] == past


def test_rows_of_a_landed_file_keep_their_numbers(moved_town: Town):
    town = moved_town
    before = {
        row["batch_id"]: row["landed_path"]
        for row in town.query("select batch_id, landed_path from batches where feed = 'smsc'")
    }
    forget(town)
    for row in town.query("select batch_id, landed_path, published_rows from batches where feed = 'smsc'"):
        lines = gzip.decompress((town.folder / "lake" / row["landed_path"]).read_bytes()).splitlines()
        texts = [json.loads(line) for line in lines]
        if row["landed_path"] == before[row["batch_id"]]:
            assert {} not in texts
        else:
            left = [text.get("recipient") for text in texts]
            assert left in ([None, *NUMBERS[1:]], [None])
            assert (town.folder / "lake" / f"{row['landed_path']}.ctl").exists()


def test_what_is_under_way_forbids_it_and_each_reason_is_said(town: Town):
    remembered(town, closed=False)
    town.query("insert into holds values (:gone, 'a court order', 'user:odile', now()) returning 1", gone=GONE)
    town.query(
        "insert into promises values (gen_random_uuid(), :case, 'news_by', 'open', now(), now(), now()) returning 1",
        case=CASE,
    )
    files = town.files()
    with pytest.raises(NotAllowedError) as refused:
        forget(town)
    said = str(refused.value)
    for reason in ("legal hold stands: a court order", "2 cases are open", "1 remedies are under way", "1 promises are open", "may still be matched"):  # fmt: skip
        assert reason in said
    assert "0707" not in said
    assert town.files() == files
    assert town.query("select * from audit where subject_kind = 'account'") == []


def test_a_hold_stops_erasure_until_it_is_released(moved_town: Town):
    town = moved_town
    with town.database.begin() as connection:
        person.hold(connection, GONE, actor="user:odile", reason="a court", now=LATE)
    with pytest.raises(NotAllowedError, match="legal hold"):
        forget(town)
    with town.database.begin() as connection:
        assert person.release(connection, GONE, actor="user:odile", reason="it is over", now=LATE)
        assert not person.release(connection, GONE, actor="user:odile", reason="it is over", now=LATE)
    forget(town)
    actions = [
        row["action"] for row in town.query("select action from audit where subject_kind = 'account' order by audit_id")
    ]
    assert actions == ["legal hold placed", "legal hold released", "erasure begun", "erased"]
    with town.database.begin() as connection:
        key = instance.secret(connection, "account-hash-secret")
        assert len(key) == 32
        assert {
            row["subject_id"] for row in town.query("select subject_id from audit where subject_kind = 'account'")
        } == {accounts.hashed(connection, GONE)}


@pytest.mark.parametrize("text", ["0707123456", "+225 0707123456", "erased:1", "", "+225"])
def test_what_is_no_number_in_its_one_form_is_refused_without_repeating_it(town: Town, text):
    with pytest.raises(NotAllowedError) as refused:
        erase(town.world, text, reason="x", actor="user:x")
    assert not text or text not in str(refused.value)


NEEDS = """
from reconcile.feeds import erasing
from reconcile.jobs import erasing as job
from reconcile.keeping import person, retired
from reconcile.matching import awakened
from reconcile.store.lake import Lake
from tests.integration.keeping.test_erasing import forget
"""
MOMENTS = {
    "after a landed copy is put, before its row": "die_at(erasing, 'switch', 2)",
    "between two published files": "die_at(job._Erasure, '_published', 3)",
    "before a published file is named": "die_at(retired, 'retire', 12)",
    "in the state": "die_at(job._Erasure, '_state', 1)",
    "before the tables": "die_at(person, 'erase', 1)",
    "before the old files are removed": "die_at(job._Erasure, 'remove_what_is_left', 1)",
    "while they are": "die_at(Lake, 'remove', 5)",
}


@pytest.mark.parametrize("moment", MOMENTS.values(), ids=MOMENTS)
def test_killed_at_any_moment_it_is_finished_by_another_run(moved_town: Town, moment):
    town = moved_town
    remembered(town)
    statements = town.statements()
    killed(town, needs=NEEDS, moment=moment, work="forget(town)")
    assert len(town.seen()) > 0, "no row names a file that is gone"
    forget(town)
    assert everywhere(town, Traces(GONE)) == []
    assert town.statements() == statements
    assert [row["action"] for row in town.query("select action from audit where subject_kind = 'account'")].count(
        "erased"
    ) == 1
