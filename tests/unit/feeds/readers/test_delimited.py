import pytest

from reconcile.feeds.limits import DEFAULT_LIMITS
from reconcile.feeds.readers.delimited import read_csv
from reconcile.feeds.refusal import Refused

COLUMNS = {"row_key": "id", "amount": "montant"}


def rows(text, delimiter=";"):
    return list(read_csv(enumerate(text.split("\n"), start=1), delimiter, COLUMNS, DEFAULT_LIMITS))


def test_a_row_has_the_line_on_which_it_begins_its_text_and_its_cells():
    first, second = rows("id;autre;montant\nE1;x;1050\nE2;;")
    assert (first.number, first.raw, first.cells) == (2, "E1;x;1050", {"row_key": "E1", "amount": "1050"})
    assert second.cells == {"row_key": "E2", "amount": None}


def test_spaces_around_names_and_values_do_not_count():
    assert rows(" id ; montant \n E1 ;  7 ")[0].cells == {"row_key": "E1", "amount": "7"}


def test_quoted_fields_may_hold_delimiters_quotes_and_line_breaks():
    (row, after) = rows('id;montant\n"E;1";"a ""b""\nc"\nE2;5')
    assert row.cells == {"row_key": "E;1", "amount": 'a "b"\nc'}
    assert (row.number, after.number) == (2, 4)
    assert row.raw == '"E;1";"a ""b""\nc"'


def test_blank_lines_are_no_rows():
    assert [row.number for row in rows("id;montant\n\nE1;5\n\n")] == [3]


def test_a_row_of_another_length_has_a_problem_and_the_next_is_read():
    bad, good = rows("id;montant\nE1\nE2;5")
    assert bad.problem == "has 1 fields where the header has 2"
    assert (bad.raw, bad.cells) == ("E1", {})
    assert good.problem is None


def test_a_misplaced_quote_is_a_problem_of_its_row_alone():
    bad, good = rows('id;montant\n"E1"x;5\nE2;5')
    assert "cannot be split into fields" in bad.problem
    assert good.cells["row_key"] == "E2"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "row 1: has no header"),
        ("id;valeur\n", "column 'montant': is not in the header, which has 'id', 'valeur'"),
        ("id;montant;id\n", "column 'id': stands twice in the header"),
        ('id;"montant\nE1;5', "row 1"),
        (";".join(f"c{n}" for n in range(300)), "has 300 columns, more than the 200 that are allowed"),
        ('id;montant\nE1;"5\nE2;5\nE3;5', "row 2: a quote is opened and never closed"),
    ],
)
def test_a_file_that_cannot_be_told_apart_is_refused(text, said):
    with pytest.raises(Refused) as refusal:
        rows(text)
    assert said in str(refusal.value)


def test_a_file_without_a_header_has_the_columns_that_the_feed_names():
    found = list(
        read_csv(
            iter([(1, "E1;1050"), (2, "E2;7")]),
            ";",
            {"row_key": "id", "amount": "amount"},
            DEFAULT_LIMITS,
            ["id", "amount"],
        )
    )
    assert [(row.number, row.cells) for row in found] == [
        (1, {"row_key": "E1", "amount": "1050"}), (2, {"row_key": "E2", "amount": "7"}),
    ]  # fmt: skip
