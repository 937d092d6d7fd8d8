"""Numbers without gaps, on files and on rows: what they prove, and what becomes of those that do not fit."""

from datetime import timedelta

from .conftest import CONFIGURATION, LEDGER_HEADER, NOON, entry

MINUTE = timedelta(minutes=1)
FILES = {
    "kind": "sequence", "numbers": "files", "nodes": ["A", "B"],
    "pattern": r"(?P<node>[A-Z])_(?P<number>\d+)(_(?P<through>\d{12}))?\.csv", "through_format": "%Y%m%d%H%M",
}  # fmt: skip
ROWS = {"kind": "sequence", "numbers": "rows", "nodes": ["A", "B"], "disorder": "10s"}
COLUMNS = {"account": "msisdn", "own_key": "external_id", "node": "node", "number": "seq"}


def configured(operator, completeness, **more):
    ocs = {**CONFIGURATION["feed"][1], "completeness": completeness, "stable_for": "0s", **more}
    operator.configure({**CONFIGURATION, "feed": [ocs]})


def file(operator, name, *rows):
    operator.deliver("ocs", name, "\n".join([LEDGER_HEADER, *rows]) + "\n", control=False)


def credit(number, minute=0):
    return entry(f"E{number}", reference=f"R{number}", at=f"2024-07-09 11:{minute:02d}:00")


def numbered(operator, name, *rows):
    """Rows of (node, number, minute); the key follows from node and number."""
    lines = [f"{credit(f'{node}{number}', minute)};{node};{number}" for node, number, minute in rows]
    operator.deliver("ocs", name, "\n".join([f"{LEDGER_HEADER};node;seq", *lines]) + "\n", control=False)


def take(operator):
    operator.take("ocs")
    return operator.watermark("ocs")


def fates(operator):
    found = operator.query("select source, status, reason from batches order by source")
    return {row["source"]: (row["status"], row["reason"]) for row in found}


def at(minute):
    return NOON - 60 * MINUTE + minute * MINUTE


class TestNumberedFiles:
    def test_the_watermark_is_the_smallest_of_the_nodes_and_waits_for_one_that_never_spoke(self, operator):
        configured(operator, FILES)
        file(operator, "A_1_202407091110.csv", credit(1))
        file(operator, "A_2_202407091120.csv")
        assert take(operator) is None
        file(operator, "B_7_202407091115.csv")
        assert take(operator) == at(15)
        assert operator.query("select grade from feeds")[0]["grade"] == "proven"

    def test_it_stops_before_a_gap_and_goes_on_when_that_is_filled(self, operator):
        configured(operator, FILES)
        file(operator, "B_1_202407091159.csv")
        for number in (1, 2, 4, 5):
            file(operator, f"A_{number}_2024070911{number}0.csv", credit(number))
        assert take(operator) == at(20)
        assert len(operator.published("ocs")) == 4, "what lies beyond the gap counts as rows"
        file(operator, "A_3_202407091130.csv", credit(3))
        assert take(operator) == at(50)

    def test_numbers_are_numbers_and_not_text(self, operator):
        configured(operator, FILES)
        file(operator, "B_1_202407091159.csv")
        file(operator, "A_9_202407091109.csv", credit(9))
        file(operator, "A_10_202407091110.csv", credit(10))
        assert take(operator) == at(10)

    def test_a_refused_file_is_a_gap_until_it_comes_again(self, operator):
        configured(operator, FILES)
        file(operator, "B_1_202407091159.csv")
        file(operator, "A_1_202407091110.csv")
        operator.deliver("ocs", "A_2_202407091120.csv", b"no;header\n", control=False)
        file(operator, "A_3_202407091130.csv")
        assert take(operator) == at(10)
        file(operator, "A_2_202407091120.csv", credit(2))
        assert take(operator) == at(30)

    def test_without_a_time_in_its_name_a_file_reaches_as_far_as_its_newest_row(self, operator):
        configured(operator, {**FILES, "disorder": "2m"})
        file(operator, "B_1_202407091159.csv")
        file(operator, "A_1.csv", credit(1, 30), credit(2, 20))
        assert take(operator) == at(28)
        file(operator, "A_2.csv")
        assert take(operator) == at(28), "an empty file says nothing of time"

    def test_a_number_that_cannot_be_is_refused_and_what_is_complete_is_left_open(self, operator):
        configured(operator, FILES)
        file(operator, "B_1_202407091159.csv")
        file(operator, "A_1_202407091110.csv", credit(1))
        assert take(operator) == at(10)
        refused = {
            "A_1_202407091111.csv": "its number 1 of the node A was delivered before, with another content",
            "A_0_202407091110.csv": "its number 0 of the node A comes before 1, where the sequence began",
            "C_1_202407091110.csv": "its name says the node 'C', which the configuration does not list",
            "ledger.csv": "its name does not follow the pattern of the feed's sequence",
            "A_7_202413091110.csv": "its name says no time that can be read: '202413091110' is not a time",
            "A_9_202407121110.csv": "its name says that it is complete up to 2024-07-12",
        }
        for name in refused:
            file(operator, name, credit(99))
        file(operator, "A_2_202407091120.csv", credit(2))
        assert take(operator) == at(10)
        found = fates(operator)
        assert {name: found[name][0] for name in refused} == dict.fromkeys(refused, "refused")
        assert [name for name, said in refused.items() if said not in found[name][1]] == []
        assert [row["reference"] for row in operator.published("ocs")] == ["R1", "R2"], "nothing else was held up"

    def test_the_same_file_again_is_the_same_and_makes_good_what_stood_under_its_name(self, operator):
        configured(operator, FILES)
        file(operator, "B_1_202407091159.csv")
        file(operator, "A_1_202407091110.csv", credit(1))
        take(operator)
        file(operator, "A_1_202407091110.csv", credit(99))
        file(operator, "A_2_202407091120.csv")
        assert take(operator) == at(10)
        file(operator, "A_1_202407091110.csv", credit(1))
        assert take(operator) == at(20)


class TestNumberedRows:
    def test_the_watermark_is_the_newest_row_before_a_gap_of_the_slowest_node(self, operator):
        configured(operator, ROWS, columns=COLUMNS)
        numbered(operator, "1.csv", ("A", 5, 10), ("A", 6, 11), ("A", 8, 13))
        assert take(operator) is None, "B never spoke"
        numbered(operator, "2.csv", ("B", 1, 30), ("B", 2, 31))
        assert take(operator) == at(11) - timedelta(seconds=10)
        numbered(operator, "3.csv", ("A", 7, 12))
        assert take(operator) == at(13) - timedelta(seconds=10)

    def test_rows_that_come_again_change_nothing_and_rows_out_of_scope_count(self, operator):
        configured(operator, ROWS, columns=COLUMNS)
        bonus = entry("B2", kind="BONUS", at="2024-07-09 11:12:00")
        lines = [f"{credit('A1', 11)};A;1", f"{bonus};A;2", f"{credit('A3', 13)};A;3", f"{credit('B1', 40)};B;1"]
        for name, some in (("1.csv", lines[:3]), ("2.csv", lines), ("3.csv", lines[:2][::-1])):
            operator.deliver("ocs", name, "\n".join([f"{LEDGER_HEADER};node;seq", *some]) + "\n", control=False)
        assert take(operator) == at(13) - timedelta(seconds=10)
        assert len(operator.published("ocs")) == 3

    def test_another_row_under_a_number_that_was_taken_is_kept_back(self, operator):
        configured(operator, ROWS, columns=COLUMNS)
        numbered(operator, "1.csv", ("A", 1, 11), ("A", 2, 12), ("B", 1, 40))
        take(operator)
        lines = [f"{credit('X', 20)};A;2", f"{credit('Y', 21)};A;0", f"{credit('Z', 22)};A;3", f"{credit('Q', 22)};A;3"]
        operator.deliver("ocs", "2.csv", "\n".join([f"{LEDGER_HEADER};node;seq", *lines]) + "\n", control=False)
        take(operator)
        found = operator.query("select row_key, reason, column_name from quarantine order by row_number")
        assert [row["row_key"] for row in found] == ["EX", "EY", "EZ", "EQ"]
        assert {row["reason"].partition(":")[0] for row in found} == {"number_comes_once"}
        assert {row["column_name"] for row in found} == {"number"}

    def test_a_numbering_that_begins_anew_is_refused_as_a_whole(self, operator):
        configured(operator, ROWS, columns=COLUMNS)
        numbered(operator, "1.csv", *(("A", number, 11) for number in range(1, 30)), ("B", 1, 40))
        take(operator)
        lines = [f"{credit(f'N{number}', 20)};A;{number}" for number in range(1, 10)]
        operator.deliver("ocs", "2.csv", "\n".join([f"{LEDGER_HEADER};node;seq", *lines]) + "\n", control=False)
        assert take(operator) == at(11) - timedelta(seconds=10)
        status, reason = fates(operator)["2.csv"]
        assert status == "refused"
        assert "row 2: number_comes_once" in reason

    def test_a_row_without_a_number_is_kept_back_and_leaves_its_gap_until_it_is_corrected(self, operator):
        configured(operator, ROWS, columns=COLUMNS)
        lines = [
            f"{credit('A1', 11)};A;1",
            f"{credit('A2', 12)};A;",
            f"{credit('A3', 13)};A;3",
            f"{credit('B1', 40)};B;1",
        ]
        operator.deliver("ocs", "1.csv", "\n".join([f"{LEDGER_HEADER};node;seq", *lines]) + "\n", control=False)
        assert take(operator) == at(11) - timedelta(seconds=10)
        [row] = operator.query("select reason, status from quarantine")
        assert row["reason"] == "row_is_well_formed: has no number that can be read"
        numbered(operator, "2.csv", ("A", 2, 12))
        assert take(operator) == at(13) - timedelta(seconds=10)
        assert operator.query("select status from quarantine")[0]["status"] == "superseded"
