"""The fold job on a real PostgreSQL and real Parquet: what it opens, pays, tells and closes, and that it does so once."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
import sqlalchemy as sa

from reconcile.jobs import approvals as approving
from reconcile.jobs import folding
from reconcile.jobs.fold_flow import RunOvertakenError, fold_flow
from reconcile.matching.cluster import ClusterError
from reconcile.notices import planning
from reconcile.store.tables import (
    approvals,
    audit,
    breakers,
    cases,
    incidents,
    intents,
    notices,
    promises,
    run_batches,
    runs,
    statements,
    verdicts,
)

DAY = datetime(2024, 7, 9, tzinfo=UTC)
TICK = timedelta(minutes=5)
EVERY = timedelta(seconds=20)
STATE = (
    cases,
    verdicts,
    incidents,
    approvals,
    intents,
    notices,
    promises,
    breakers,
    audit,
    runs,
    run_batches,
    statements,
)


def at(clock):
    hours, minutes, *seconds = map(int, clock.split(":"))
    return DAY + timedelta(hours=hours, minutes=minutes, seconds=seconds[0] if seconds else 0)


def ticks(start, end):
    """Every tick after `start` up to `end`."""
    clock = at(start)
    while clock < at(end):
        clock += TICK
        yield clock


def outage(operator, *, until="16:00"):
    """Traffic from 12:30 on; of what is bought from 13:45 to 14:20 nothing is credited."""
    operator.trade(at("12:30"), at("13:45"), every=EVERY)
    missing = operator.trade(at("13:45"), at("14:20"), every=EVERY, credited=False)
    operator.trade(at("14:20"), at(until), every=EVERY)
    return missing


def state(operator):
    return {table.name: operator.rows(table) for table in STATE}


class TestEveryday:
    def test_a_day_without_faults_opens_no_case(self, operator):
        operator.trade(at("10:00"), at("11:00"), every=EVERY)
        operator.tick(at("11:00"))
        operator.tick(at("11:20"))
        assert operator.rows(cases) == []
        assert {run.sequence for run in operator.rows(runs)} == {1, 2}
        assert [row.verdict for row in operator.rows(statements)] == ["reconciled"]

    def test_a_single_missing_credit_is_paid_and_told_when_the_ledger_shows_it(self, operator):
        operator.trade(at("10:00"), at("11:00"), every=EVERY)
        case_id = operator.buy(at("10:30:10"))
        operator.tick(at("10:50"))
        case = operator.case(case_id)
        assert (case.status, case.disposition, case.owner) == ("open", "pay", "policy")
        assert operator.told() == {"detected": 1}
        operator.tick(at("10:55"))
        case = operator.case(case_id)
        assert (case.status, case.disposition, case.credited_at) == ("closed", "done", at("10:50:01"))
        assert operator.told() == {"detected": 1, "credited": 1}
        assert [row.status for row in operator.rows(promises)] == ["kept"]
        assert [row.status for row in operator.rows(intents)] == ["verified"]
        assert [row.version for row in operator.rows(verdicts)] == [1, 2]

    def test_an_original_that_lands_late_settles_its_case_and_is_told(self, operator):
        operator.trade(at("10:00"), at("11:20"), every=EVERY)
        case_id = operator.buy(at("10:30:10"), amount=6000)
        operator.tick(at("10:50"))
        assert operator.case(case_id).disposition == "await_approval"
        operator.credit_late(case_id, at("10:52"))
        operator.tick(at("10:55"))
        case = operator.case(case_id)
        assert (case.status, case.kind, case.credited_at) == ("closed", "late_credit", at("10:52"))
        assert [row.status for row in operator.rows(intents)] == ["void"]
        assert [row.status for row in operator.rows(approvals)] == ["void"]
        assert operator.told() == {"detected": 1, "self_settled": 1}

    def test_an_original_that_lands_after_we_paid_reopens_the_case_and_is_told_to_nobody(self, operator):
        operator.trade(at("10:00"), at("11:20"), every=EVERY)
        case_id = operator.buy(at("10:30:10"))
        operator.tick(at("10:50"))
        operator.tick(at("10:55"))
        before = operator.told()
        operator.credit_late(case_id, at("10:57"))
        operator.tick(at("11:00"))
        case = operator.case(case_id)
        assert (case.status, case.kind, case.owed_minor) == ("open", "over_credited", -1050)
        assert (case.disposition, case.owner) == ("review", "queue:over_credits")
        assert operator.told() == before
        assert list(operator.own_keys.values()) == [1050]

    def test_an_original_that_lands_while_we_pay_reopens_the_case_once_the_ledger_shows_both(self, operator):
        operator.trade(at("10:00"), at("11:20"), every=EVERY)
        case_id = operator.buy(at("10:30:10"))
        operator.advance(at("10:50"))
        operator.fold()
        operator.credit_late(case_id, at("10:52"))
        operator.advance(at("10:55"))
        operator.dispatch()
        operator.fold()
        assert (operator.case(case_id).kind, list(operator.own_keys.values())) == ("late_credit", [1050])
        operator.tick(at("11:00"))
        case = operator.case(case_id)
        assert (case.status, case.kind, case.owner) == ("open", "over_credited", "queue:over_credits")

    def test_a_purchase_that_lands_twice_is_told_only_where_the_customer_waited_for_news(self, operator):
        operator.trade(at("10:00"), at("11:20"), every=EVERY)
        quick = operator.buy(at("10:30"), credited=at("10:30:05"))
        operator.credit_late(quick, at("10:30:20"))
        waited = operator.buy(at("10:30:10"), amount=6000)
        operator.tick(at("10:50"))
        assert operator.told() == {"detected": 1}
        operator.credit_late(waited, at("10:51"))
        operator.credit_late(waited, at("10:52"))
        operator.tick(at("10:55"))
        assert {row.event: row.case_id for row in operator.rows(notices)} == {
            "detected": waited,
            "self_settled": waited,
        }
        assert operator.case(waited).disposition == operator.case(quick).disposition == "review"
        assert [row.status for row in operator.rows(promises)] == ["kept"]

    def test_a_misdirected_credit_is_owed_to_the_right_account_once_a_person_says_so(self, operator):
        operator.trade(at("10:00"), at("11:20"), every=EVERY)
        case_id = operator.buy(at("10:30:10"), reference="RCX")
        operator.post(at("10:30:12"), "+2250799999999", 1050, reference="RCX")
        operator.tick(at("10:50"))
        case = operator.case(case_id)
        assert (case.kind, case.disposition, operator.own_keys) == ("misdirected", "await_approval", {})
        operator.approve()
        assert operator.case(case_id).disposition == "pay"
        operator.dispatch()
        operator.tick(at("10:55"))
        assert (operator.case(case_id).status, list(operator.own_keys.values())) == ("closed", [1050])

    def test_news_that_was_promised_is_given_before_its_time_is_up(self, operator):
        operator.trade(at("10:00"), at("13:00"), every=EVERY)
        operator.buy(at("10:30:10"), amount=6000)
        operator.tick(at("10:50"))
        for clock in ("11:35", "11:40", "11:45", "12:25", "12:30", "12:35"):
            operator.tick(at(clock))
        assert operator.told() == {"detected": 1, "delayed:1": 1, "delayed:2": 1}
        made = operator.rows(promises)
        assert sorted((row.made_at, row.due_at, row.status) for row in made) == [
            (at("10:50"), at("11:50"), "kept"),
            (at("11:40"), at("12:40"), "kept"),
            (at("12:30"), at("13:30"), "open"),
        ]

    def test_a_promise_that_nobody_kept_in_time_is_broken_by_the_news_that_comes_after_it(self, operator):
        operator.trade(at("10:00"), at("13:00"), every=EVERY)
        operator.buy(at("10:30:10"), amount=6000)
        operator.tick(at("10:50"))
        operator.tick(at("12:00"))
        assert sorted(row.status for row in operator.rows(promises)) == ["broken", "open"]
        assert operator.told() == {"detected": 1, "delayed:1": 1}

    def test_our_own_credit_that_the_ledger_does_not_show_is_for_a_person_and_never_sent_again(self, operator):
        operator.trade(at("10:00"), at("11:20"), every=EVERY)
        case_id = operator.buy(at("10:30:10"))
        operator.tick(at("10:50"))
        lost = operator.entries.pop()
        operator.tick(at("10:55"))
        assert operator.case(case_id).disposition == "pay"
        operator.tick(at("11:10"))
        case = operator.case(case_id)
        assert (case.status, case.disposition, case.owner) == ("open", "review", "queue:recredits")
        assert [row.status for row in operator.rows(intents)] == ["escalated"]
        operator.entries.append({**lost, "posted_at": at("11:12")})
        operator.tick(at("11:15"))
        assert (operator.case(case_id).status, len(operator.own_keys)) == ("closed", 1)
        assert operator.told() == {"detected": 1, "credited": 1}

    def test_a_purchase_that_is_taken_back_closes_its_case_without_a_word(self, operator):
        operator.trade(at("10:00"), at("11:20"), every=EVERY)
        case_id = operator.buy(at("10:30:10"), amount=6000)
        operator.tick(at("10:50"))
        operator.confirmations.append(
            {
                **operator.purchase(case_id),
                "message_id": "taken back",
                "outcome": "reversed",
                "confirmed_at": at("10:52"),
            }
        )
        operator.tick(at("10:55"))
        assert operator.case(case_id).status == "closed"
        assert operator.told() == {"detected": 1}
        assert [row.status for row in operator.rows(promises)] == ["cancelled"]

    def test_a_case_that_is_owed_again_after_its_incident_was_closed_stands_alone(self, operator):
        missing = outage(operator)
        for number, case_id in enumerate(missing):
            operator.credit_late(case_id, at("14:20") + timedelta(seconds=number))
        for clock in ("13:30", "14:05", "14:25", "14:40"):
            operator.tick(at(clock))
        assert [row.status for row in operator.rows(incidents)] == ["closed"]
        bought = operator.purchase(missing[0])
        operator.post(at("14:42"), bought["account"], -1050, reference=bought["reference"])
        operator.tick(at("14:45"))
        case = operator.case(missing[0])
        assert (case.status, case.kind, case.incident_id) == ("open", "reversed_after_credit", None)
        # Its intent ended when the original landed, and a purchase never has two: a person settles this one.
        assert (case.disposition, case.owner, operator.own_keys) == ("review", "queue:recredits", {})


class TestOutage:
    def test_it_is_one_incident_from_the_first_run_past_the_threshold_to_the_last_credit(self, operator):
        missing = outage(operator)
        wronged, settled = set(missing), 0
        for number, case_id in enumerate(missing[::3]):
            landed_at = at("14:20") + timedelta(seconds=7 * number)
            operator.credit_late(case_id, landed_at)
            if landed_at - operator.purchase(case_id)["confirmed_at"] > timedelta(minutes=15):
                settled += 1
            else:
                wronged.remove(case_id)
        operator.tick(at("13:30"))
        seen = {}
        for clock in ticks("13:40", "14:50"):
            operator.tick(clock)
            seen[f"{clock:%H:%M}"] = [row.status for row in operator.rows(incidents)]
            operator.approve()
            operator.dispatch()
        assert (seen["14:00"], seen["14:05"], seen["14:35"], seen["14:40"]) == ([], ["open"], ["open"], ["recovered"])
        (incident,) = operator.rows(incidents)
        assert (incident.status, incident.number) == ("closed", "TOPUP-240709-1")
        assert (incident.started_at, incident.ended_at) == (at("13:45"), at("14:20"))
        assert incident.settle_until == at("14:37:34")
        assert (incident.used_count, incident.used_minor) == (70, 70 * 1050)
        assert {row.case_id for row in operator.rows(cases)} == wronged
        assert {(row.status, row.incident_id) for row in operator.rows(cases)} == {("closed", incident.incident_id)}
        assert sorted(operator.own_keys.values()) == [1050] * 70
        assert Counter(row.status for row in operator.rows(intents)) == {
            "verified": 70,
            "void": len(operator.rows(intents)) - 70,
        }
        assert (operator.told()["credited"], operator.told()["self_settled"]) == (70, settled)
        assert {row.status for row in operator.rows(promises)} == {"kept"}
        assert operator.rows(breakers) == []

    def test_nothing_is_paid_while_it_lasts_not_even_what_is_alone(self, operator):
        outage(operator)
        alone = operator.buy(at("13:39:10"))
        operator.tick(at("13:30"))
        for clock in ("13:55", "14:05", "14:20", "14:35"):
            operator.tick(at(clock))
        assert operator.own_keys == {}
        assert operator.case(alone).incident_id is None
        assert operator.case(alone).disposition == "wait"
        operator.tick(at("14:40"))
        assert list(operator.own_keys.values()) == [1050]

    def test_its_first_breaks_are_not_paid_before_it_is_known(self, operator):
        missing = outage(operator)
        operator.tick(at("13:40"))
        operator.tick(at("14:01"))
        first = [operator.case(case_id) for case_id in missing[:3]]
        assert {(case.disposition, case.incident_id) for case in first} == {("wait", None)}
        assert (operator.own_keys, operator.told()) == ({}, {})

    def test_an_approval_covers_later_cases_until_it_is_used_up_and_then_it_asks_again(self, operator):
        missing = outage(operator)
        for clock in ("13:30", "14:05", "14:20", "14:40"):
            operator.tick(at(clock))
        (incident,) = operator.rows(incidents)
        approving.propose_incident(operator.world, incident.incident_id, "maker", "stuck", 100, 100 * 1050)
        (proposal,) = operator.rows(approvals)
        approving.approve_incident(operator.world, incident.incident_id, "approver", proposal.evidence_hash)
        dispositions = Counter(case.disposition for case in operator.rows(cases))
        assert dispositions == {"pay": 100, "await_incident": 5}
        operator.dispatch()
        assert len(operator.own_keys) == 100
        operator.tick(at("14:45"))
        (incident,) = operator.rows(incidents)
        assert (incident.status, incident.used_count) == ("recovered", 100)
        operator.approve()
        operator.dispatch()
        operator.tick(at("14:50"))
        assert {row.status for row in operator.rows(incidents)} == {"closed"}
        assert len(operator.own_keys) == len(missing)

    def test_an_original_that_lands_after_the_recovery_makes_everybody_wait_again(self, operator):
        missing = outage(operator)
        for clock in ("13:30", "14:05", "14:20", "14:40"):
            operator.tick(at(clock))
        (incident,) = operator.rows(incidents)
        approving.propose_incident(operator.world, incident.incident_id, "maker", "stuck", 105, 105 * 1050)
        operator.credit_late(missing[0], at("14:43"))
        operator.tick(at("14:45"))
        (incident,) = operator.rows(incidents)
        assert (incident.status, incident.settle_until) == ("open", at("14:58"))
        assert [row.status for row in operator.rows(approvals)] == ["void"]
        operator.tick(at("15:00"))
        assert [row.status for row in operator.rows(incidents)] == ["recovered"]

    def test_a_second_outage_before_the_first_is_closed_is_the_same_incident_and_needs_a_new_approval(self, operator):
        operator.trade(at("12:30"), at("13:45"), every=EVERY)
        operator.trade(at("13:45"), at("14:00"), every=EVERY, credited=False)
        operator.trade(at("14:00"), at("14:30"), every=EVERY)
        operator.trade(at("14:30"), at("14:45"), every=EVERY, credited=False)
        operator.trade(at("14:45"), at("16:00"), every=EVERY)
        for clock in ("13:30", "14:05", "14:20"):
            operator.tick(at(clock))
        operator.tick(at("14:30"))
        assert [row.status for row in operator.rows(incidents)] == ["recovered"]
        operator.tick(at("14:55"))
        (incident,) = operator.rows(incidents)
        assert (incident.status, incident.ended_at) == ("open", None)
        operator.tick(at("15:10"))
        operator.approve()
        operator.dispatch()
        operator.tick(at("15:15"))
        (incident,) = operator.rows(incidents)
        assert (incident.status, incident.ended_at, incident.used_count) == ("closed", at("14:45"), 90)


class TestBreaker:
    def expect_open(self, operator):
        assert [row.open is not None for row in operator.rows(breakers)] == [True]
        assert operator.own_keys == {}
        assert operator.told() == {}
        assert {case.disposition for case in operator.rows(cases, cases.c.owed_minor > 0)} <= {"wait", "review"}

    def test_when_everything_is_a_break_from_the_beginning_nothing_is_paid_and_nobody_told(self, operator):
        operator.trade(at("10:00"), at("12:00"), every=EVERY, credited=False)
        operator.tick(at("12:00"))
        operator.tick(at("12:05"))
        self.expect_open(operator)

    def test_when_the_credits_are_there_under_other_references_it_is_not_an_outage(self, operator):
        operator.trade(at("12:30"), at("13:45"), every=EVERY)
        for number, case_id in enumerate(operator.trade(at("13:45"), at("14:30"), every=EVERY, credited=False)):
            bought = operator.purchase(case_id)
            operator.post(
                bought["confirmed_at"] + timedelta(seconds=3), bought["account"], 1050, reference=f"OTHER{number}"
            )
        operator.tick(at("13:40"))
        for clock in ticks("13:55", "14:30"):
            operator.tick(clock)
        self.expect_open(operator)

    def test_when_ledger_rows_are_suddenly_left_out_it_is_not_an_outage(self, operator):
        outage(operator)
        operator.tick(at("13:40"))
        operator.advance(at("13:50"), unread_rows=15)
        operator.advance(at("13:58"), unread_rows=30)
        operator.tick(at("14:05"))
        self.expect_open(operator)

    def test_two_people_can_let_the_flow_go_on_and_what_they_have_seen_does_not_stop_it_again(self, operator):
        outage(operator)
        operator.tick(at("13:40"))
        operator.advance(at("13:58"), unread_rows=45)
        operator.tick(at("14:05"))
        approving.propose_reopening(operator.world, "topup", "maker", "the rows were looked at")
        (proposal,) = operator.rows(approvals)
        approving.approve_reopening(operator.world, "topup", "approver", proposal.evidence_hash)
        operator.tick(at("14:10"))
        assert [row.open for row in operator.rows(breakers)] == [None]
        assert operator.told()["detected"] == len(operator.rows(cases))
        assert {case.disposition for case in operator.rows(cases)} == {"await_incident"}

    def test_an_approved_incident_closes_the_breaker(self, operator):
        missing = outage(operator)
        operator.tick(at("13:40"))
        operator.advance(at("13:58"), unread_rows=45)
        for clock in ("14:05", "14:20", "14:40"):
            operator.tick(at(clock))
        self.expect_open(operator)
        (incident,) = operator.rows(incidents)
        approving.propose_incident(operator.world, incident.incident_id, "maker", "stuck", 105, 105 * 1050)
        (proposal,) = operator.rows(approvals)
        approving.approve_incident(operator.world, incident.incident_id, "approver", proposal.evidence_hash)
        operator.dispatch()
        operator.tick(at("14:45"))
        assert len(operator.own_keys) == len(missing)
        assert operator.told() == {"credited": 105}


class TestModes:
    def test_in_shadow_everything_is_decided_and_nothing_done(self, operator):
        operator.mode("shadow")
        operator.trade(at("10:00"), at("11:20"), every=EVERY)
        case_id = operator.buy(at("10:30:10"))
        dear = operator.buy(at("10:30:15"), amount=6000)
        operator.tick(at("10:50"))
        assert operator.case(case_id).disposition == "pay"
        assert operator.case(dear).disposition == "await_approval"
        assert [operator.rows(table) for table in (intents, notices, promises, approvals)] == [[], [], [], []]

    def test_what_was_found_in_shadow_is_not_paid_on_its_own_when_the_flow_goes_live(self, operator):
        operator.mode("shadow")
        operator.trade(at("10:00"), at("11:20"), every=EVERY)
        case_id = operator.buy(at("10:30:10"))
        operator.tick(at("10:50"))
        operator.mode("live")
        operator.tick(at("10:55"))
        case = operator.case(case_id)
        assert (case.disposition, case.disposition_reason) == (
            "await_approval",
            "it was found while the flow was in shadow",
        )
        operator.approve()
        operator.dispatch()
        operator.tick(at("11:00"))
        assert operator.case(case_id).status == "closed"

    def test_a_stopped_flow_waits_and_goes_on_where_it_was(self, operator):
        operator.mode("stopped")
        operator.trade(at("10:00"), at("11:20"), every=EVERY)
        case_id = operator.buy(at("10:30:10"))
        operator.tick(at("10:50"))
        assert (operator.case(case_id).disposition, operator.told()) == ("wait", {})
        operator.mode("live")
        operator.tick(at("10:55"))
        assert (operator.case(case_id).disposition, operator.told()) == ("pay", {"detected": 1})


class TestOnce:
    def test_folding_again_changes_nothing(self, operator):
        outage(operator)
        for clock in ("13:30", "13:50", "14:05", "14:10"):
            operator.tick(at(clock))
            before = state(operator)
            assert operator.fold() == operator.fold()
            assert state(operator) == before

    def test_a_backfill_may_run_on_a_cluster_and_later_runs_go_on_from_it_on_one_machine(self, operator, here):
        operator.trade(at("08:00"), at("10:00"), every=EVERY)
        case_id, later = operator.buy(at("09:00:10")), operator.buy(at("10:10"))
        for clock in ("08:40", "09:20", "10:00"):
            operator.advance(at(clock))
        run_id = fold_flow(operator.world, "topup", cluster=here)
        assert [row.case_id for row in operator.rows(cases)] == [case_id]
        assert {row.run_id for row in operator.rows(run_batches)} == {UUID(run_id)}
        operator.credit_late(case_id, at("10:05"))
        operator.advance(at("10:50"))
        with pytest.raises(ClusterError, match="topup has been folded before"):
            fold_flow(operator.world, "topup", cluster=here)
        operator.fold()
        found = {row.case_id: row.status for row in operator.rows(cases)}
        assert found == {case_id: "closed", later: "open"}

    def test_a_crash_before_any_commit_changes_nothing_and_the_next_run_does_the_work(self, operator, monkeypatch):
        missing = outage(operator)
        operator.buy(at("13:00:10"))
        for number, case_id in enumerate(missing[:20]):
            operator.credit_late(case_id, at("14:20") + timedelta(seconds=number))
        for clock in ("13:30", "13:50", "14:05", "14:20", "14:25", "14:40", "14:45", "14:50"):
            operator.advance(at(clock))
            self.crash(operator, monkeypatch)
            operator.fold()
            operator.approve()
            operator.dispatch()
        assert {row.status for row in operator.rows(cases)} == {"closed"}
        assert Counter(operator.own_keys.values()) == {1050: 86}
        assert operator.told()["credited"] == 86

    @staticmethod
    def crash(operator, monkeypatch):
        class Killed(BaseException):
            pass

        def killed(*_, **__):
            raise Killed

        before = state(operator)
        with monkeypatch.context() as patched:
            patched.setattr(planning, "plan", killed)
            with pytest.raises(Killed):
                operator.fold()
        assert state(operator) == before

    def test_the_second_of_two_runs_at_once_throws_its_work_away(self, operator, monkeypatch):
        outage(operator)
        operator.tick(at("13:30"))
        operator.advance(at("14:05"))
        run_fold = folding.run_fold
        with monkeypatch.context() as patched:

            def overtaken(*arguments):
                patched.setattr(folding, "run_fold", run_fold)
                operator.fold()
                return run_fold(*arguments)

            patched.setattr(folding, "run_fold", overtaken)
            with pytest.raises(RunOvertakenError):
                operator.fold()
        assert len(operator.rows(runs)) == 2
        assert len(operator.rows(incidents)) == 1

    def test_folding_while_the_approved_are_being_paid_ends_well_for_both(self, operator):
        missing = outage(operator)
        for clock in ("13:30", "14:05", "14:20", "14:40"):
            operator.tick(at(clock))
        operator.approve()
        for case_id in missing[::2]:
            operator.credit_late(case_id, at("14:42"))
        operator.advance(at("14:45"))
        with ThreadPoolExecutor(1) as pool:
            paying = pool.submit(operator.dispatch)
            operator.fold()
            paying.result()
        operator.tick(at("14:50"))
        paid = operator.rows(intents, intents.c.status == "verified")
        void = operator.rows(intents, intents.c.status == "void")
        assert len(paid) == len(operator.own_keys) >= 52
        assert len(paid) + len(void) == len(missing)

    def test_without_any_delivery_there_is_no_run(self, operator):
        assert operator.fold() == ""
        assert operator.rows(runs) == []

    def test_while_one_side_has_never_said_how_far_it_is_nothing_is_missing(self, operator):
        operator.trade(at("10:00"), at("11:00"), every=EVERY, credited=False)
        operator.advance(at("11:00"))
        with operator.world.database.begin() as connection:
            connection.execute(sa.text("delete from batches where feed = 'ocs'; delete from feeds where feed = 'ocs'"))
        operator.fold()
        assert operator.rows(cases) == []
        assert [row.grade for row in operator.rows(runs)] == ["assumed"]
