"""The command line as a person meets it: what it prints, and the code it ends with."""

import io
import json
import sys

import pytest

from reconcile.cli import console, main

HEADER = "id,reference,account,amount,currency,occurred_at\n"
TOLD = "c1,RC1,+2250707123456,1050,XOF,2024-07-09T13:45:00Z\nc2,RC2,+2250707123457,1050,XOF,2024-07-09T13:46:00Z\n"
POSTED = "e1,RC1,+2250707123456,1050,XOF,2024-07-09T13:45:10Z\n"
MESSAGE = {
    "id": "m1",
    "country": "CI",
    "sender": "MaxIt",
    "text": "Achat d'unites reussi. Montant: 2 500 FCFA. Beneficiaire: 0707123456. Solde: 9 000,00 FCFA. "
    "Ref: RC240709.1345.A00077",
}


@pytest.fixture
def reconcile(capsys, monkeypatch, tmp_path):
    """Runs a command in an empty folder; gives its exit code, what it printed, and what it complained of."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("RECONCILE_CONFIG", raising=False)
    monkeypatch.setattr(console, "out", console.Console(width=200))
    monkeypatch.setattr(console, "err", console.Console(width=200, stderr=True))

    def run(*arguments, stdin=b""):
        monkeypatch.setattr(sys, "argv", ["reconcile", *arguments])
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin)))
        with pytest.raises(SystemExit) as ended:
            main()
        said = capsys.readouterr()
        return ended.value.code, said.out, said.err

    return run


@pytest.fixture
def two_files(tmp_path):
    (tmp_path / "told.csv").write_text(HEADER + TOLD)
    (tmp_path / "posted.csv").write_text(HEADER + POSTED)
    return "told.csv", "posted.csv"


def test_without_a_command_the_help_says_what_there_is(reconcile):
    code, out, _ = reconcile("--help")
    assert code == 0
    assert all(name in out for name in ("run", "parse", "match", "doctor", "stop"))


def test_spark_without_java_is_refused_in_words(reconcile, two_files, monkeypatch):
    monkeypatch.setenv("PATH", "")
    monkeypatch.delenv("JAVA_HOME", raising=False)
    code, _, complaint = reconcile("match", *two_files, "--out", "result", "--engine", "spark")
    assert code == 2
    assert "the engine spark needs Java 17 or later" in complaint


def test_messages_are_read_one_for_one(reconcile):
    lines = [json.dumps(MESSAGE), json.dumps({"id": "m2", "text": "Bonjour"})]
    code, out, _ = reconcile("parse", stdin="\n".join(lines).encode())
    first, second = map(json.loads, out.splitlines())
    assert code == 0
    assert (first["id"], first["amount"], first["currency"], first["reference"]) == (
        "m1",
        "2500",
        "XOF",
        "RC240709.1345.A00077",
    )
    assert (second["id"], second["amount"]) == ("m2", None)


def test_a_line_that_is_no_message_is_named(reconcile):
    code, _, err = reconcile("parse", stdin=b'{"id": "m1", "text": "a"}\nnonsense\n')
    assert code == 2
    assert "standard input: line 2" in err


def test_a_file_that_is_not_there_is_named(reconcile):
    assert reconcile("parse", "absent.jsonl") == (2, "", "reconcile: absent.jsonl: No such file or directory\n")


def test_two_files_are_compared(reconcile, two_files, tmp_path):
    code, out, _ = reconcile("match", *two_files, "--out", "result", "--report", "page.html")
    assert code == 3
    assert "never_credited" in out
    assert "unexplained" in out
    assert {path.name for path in (tmp_path / "result").iterdir()} >= {
        "matches.parquet",
        "breaks.parquet",
        "statement.json",
    }
    assert "<html" in (tmp_path / "page.html").read_text()


def test_the_statement_can_be_had_as_json(reconcile, two_files):
    code, out, _ = reconcile("match", *two_files, "--out", "result", "--json")
    assert code == 3
    assert json.loads(out)["verdict"] == "breaks"


def test_before_the_deadline_nothing_is_missing(reconcile, two_files):
    code, out, _ = reconcile("match", *two_files, "--out", "result", "--as-of", "2024-07-09T13:50:00Z")
    assert code == 0
    assert "never_credited" not in out


def test_a_file_with_one_flow_gives_the_rules(reconcile, two_files, tmp_path):
    flow = '[[flow]]\nname = "topup"\nasset = "XOF"\nsince = 2024-07-09T13:45:30Z\n'
    (tmp_path / "flow.toml").write_text(flow)
    _, out, _ = reconcile("match", *two_files, "--out", "result", "--flow", "flow.toml", "--json")
    assert json.loads(out)["flow"] == "topup"


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        (("1050,XOF,2024-07-09T13:46", "10x0,XOF,2024-07-09T13:46"), "told.csv: row 2, column amount"),
        (("currency", "money"), "currency"),
        (("2024-07-09T13:46:00Z", "noon"), "row 2, column occurred_at"),
    ],
)
def test_bad_input_is_refused_with_its_place(reconcile, two_files, tmp_path, change, complaint):
    (tmp_path / "told.csv").write_text((HEADER + TOLD).replace(*change))
    code, out, err = reconcile("match", *two_files, "--out", "result")
    assert (code, out) == (2, "")
    assert complaint in err


def test_an_instant_without_a_zone_is_refused(reconcile, two_files):
    code, _, err = reconcile("match", *two_files, "--out", "result", "--as-of", "2024-07-09")
    assert code == 2
    assert "--as-of" in err


def test_without_a_configuration_it_says_where_one_is_looked_for(reconcile):
    code, _, err = reconcile("doctor")
    assert code == 2
    assert "RECONCILE_CONFIG" in err
    assert "reconcile.toml" in err


def test_a_mistake_in_the_configuration_is_named(reconcile, tmp_path):
    (tmp_path / "reconcile.toml").write_text("[store]\nurl = 7\n")
    code, _, err = reconcile("doctor")
    assert code == 2
    assert "reconcile.toml: store.url" in err


def test_the_folder_of_the_dags_is_told(reconcile):
    code, out, _ = reconcile("dags")
    assert code == 0
    assert out.strip().endswith("dags")


def test_the_built_in_templates_pass_their_examples_and_are_counted(reconcile):
    code, out, _ = reconcile("templates", "test")

    assert (code, out.split(":")[1]) == (0, " all are read as they say\n")
    assert int(out.split()[0]) * 2 <= int(out.split()[2])


def test_an_example_that_is_read_otherwise_is_named(reconcile, tmp_path):
    example = '[[template.examples]]\ncountry = "CI"\ntext = "Achat {} F"\namount = "{}"\ncurrency = "XOF"\n'
    row = (
        '[[template]]\nname = "a"\nlanguage = "fr"\nkind = "airtime"\noutcome = "success"\npattern = "Achat {amount}"\n'
    )
    (tmp_path / "mine.toml").write_text(row + example.format(500, 500) + example.format(700, 600))

    code, out, _ = reconcile("templates", "test", "mine.toml")

    assert code == 1
    assert out.splitlines() == [
        "a, example 2: amount is 600 but was read as 700",
        "1 templates, 2 examples: 1 fields are read otherwise",
    ]


def test_messages_are_read_by_templates_of_ones_own(reconcile, tmp_path):
    example = '[[template.examples]]\ncountry = "CI"\ntext = "Nova {} F"\namount = "{}"\ncurrency = "XOF"\n'
    row = (
        '[[template]]\nname = "a"\nlanguage = "fr"\nkind = "airtime"\noutcome = "success"\npattern = "Nova {amount}"\n'
    )
    (tmp_path / "mine.toml").write_text(row + example.format(500, 500) + example.format(700, 700))
    message = json.dumps({"id": "1", "text": "Nova 900 F", "country": "CI"}).encode()

    code, out, _ = reconcile("parse", "--templates", "mine.toml", stdin=message)
    assert (code, json.loads(out)["confidence"], json.loads(out)["amount"]) == (0, "high", "900")

    code, _, err = reconcile("parse", "--templates", "yours.toml", stdin=message)
    assert code == 2
    assert "yours.toml" in err


FLOW = '[[flow]]\nname = "topup"\nasset = "XOF"\nsince = 2024-07-09T00:00:00Z\n'


def test_the_help_of_a_command_loses_no_word_to_its_markup(reconcile):
    code, out, _ = reconcile("alert", "--help")
    assert (code, "``" in out) == (0, False)


@pytest.mark.parametrize("command", [["migrate"], ["quarantine", "list"]])
def test_a_database_that_cannot_be_reached_is_said_in_one_line(reconcile, tmp_path, command):
    (tmp_path / "reconcile.toml").write_text(FLOW)
    code, _, err = reconcile(*command)
    assert (code, "Traceback" in err, len(err.splitlines())) == (2, False, 1)
    assert "`reconcile doctor` says what to do" in err
    code, out, _ = reconcile("doctor", "--json")
    [finding] = json.loads(out)
    assert (code, finding["subject"]) == (1, "database")
    assert "reconcile run" in finding["todo"]


def test_a_lake_that_cannot_be_made_is_named(reconcile, tmp_path):
    (tmp_path / "file").touch()
    (tmp_path / "reconcile.toml").write_text(f'{FLOW}[lake]\npath = "file/lake"\n')
    code, _, err = reconcile("doctor")
    assert (code, err) == (2, "reconcile: lake.path: file/lake cannot be made or opened: Not a directory\n")
