from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from reconcile import config
from reconcile.config import ConfigurationError

FLOW = {"name": "topup", "asset": "XOF", "since": "2024-07-09T00:00:00Z"}


def build(**data):
    return config.build(data, home=Path("/home"), source="reconcile.toml")


def test_a_flow_without_words_of_its_own_takes_the_defaults():
    rules = build(flow=[FLOW]).flow("topup").rules
    assert rules.since == datetime(2024, 7, 9, tzinfo=UTC)
    assert (rules.grace, rules.window, rules.deadline_after) == (
        timedelta(minutes=10),
        timedelta(minutes=15),
        timedelta(minutes=15),
    )


def test_outside_a_sandbox_a_flow_pays_nobody_until_it_is_told_to():
    assert build(flow=[FLOW]).flow("topup").mode == "shadow"


@pytest.mark.parametrize(
    ("data", "said"),
    [
        ({"flow": [FLOW | {"asset": "FCFA"}]}, "flow.0.asset: unknown asset 'FCFA'"),
        ({"flow": [FLOW | {"grace": "10 minutes"}]}, 'flow.0.grace: a duration such as "30s"'),
        ({"flow": [FLOW | {"grace": "10 minutes"}]}, "(found '10 minutes')"),
        ({"flow": [FLOW | {"since": "2024-07-09T00:00:00"}]}, "flow.0.since: an instant with its zone"),
        ({"flow": [FLOW | {"zone": "Abidjan"}]}, "flow.0.zone: an IANA time zone"),
        ({"flow": [FLOW | {"greace": "10m"}]}, "flow.0.greace: Extra inputs"),
        ({"flow": [FLOW, FLOW]}, "flow 'topup' stands twice"),
        ({"feed": [{"name": "a", "flow": "b", "side": "ledger", "reader": "csv", "location": "x"}]}, "not configured"),
        ({"policy": {"topup": {}}}, "[policy.topup] names a flow that is not configured"),
        ({"flow": [FLOW | {"since": None}]}, "flow.0.since"),
    ],
)
def test_a_mistake_names_the_key_the_value_and_what_was_expected(data, said):
    with pytest.raises(ConfigurationError) as caught:
        build(**data)
    assert said in str(caught.value)
    assert str(caught.value).startswith("reconcile.toml: ")


def test_a_file_that_is_no_toml_is_refused_with_its_name(tmp_path):
    file = tmp_path / "reconcile.toml"
    file.write_text("[store")
    with pytest.raises(ConfigurationError, match=r"reconcile\.toml: not TOML"):
        config.load(file)
    with pytest.raises(ConfigurationError, match="cannot be read"):
        config.load(tmp_path / "absent.toml")


def test_the_file_is_found_by_name_then_environment_then_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv(config.ENVIRONMENT_VARIABLE, raising=False)
    assert config.find() is None
    (tmp_path / config.FILE_NAME).touch()
    assert config.find() == Path(config.FILE_NAME)
    monkeypatch.setenv(config.ENVIRONMENT_VARIABLE, "/elsewhere.toml")
    assert config.find() == Path("/elsewhere.toml")
    assert config.find(Path("/explicit.toml")) == Path("/explicit.toml")


def test_a_secret_comes_from_the_environment_or_a_file_and_is_never_named_in_an_error(tmp_path, monkeypatch):
    monkeypatch.setenv("A_SECRET", "hush")
    assert config.Secret(env="A_SECRET").read() == "hush"
    (tmp_path / "secret").write_text("hush\n")
    assert config.Secret(file=tmp_path / "secret").read() == "hush"
    monkeypatch.setenv("A_SECRET", "")
    with pytest.raises(ConfigurationError, match="environment variable A_SECRET"):
        config.Secret(env="A_SECRET").read()
    with pytest.raises(ValueError, match="either env or file"):
        config.Secret()


def test_the_sandbox_world_is_a_valid_configuration():
    import tomllib
    from string import Template

    import reconcile

    text = (Path(reconcile.__file__).parent / "scenarios" / "maxit.toml").read_text(encoding="utf-8")
    ports = {"desk_port": 1, "gsma_port": 2, "smpp_port": 3, "smtp_port": 4}
    configuration = build(**tomllib.loads(Template(text).substitute(ports)))
    assert configuration.sandbox
    assert configuration.flow("topup").mode == "live"
    assert {feed.name for feed in configuration.feeds} == {"smsc", "ocs", "directory"}


def test_a_feed_says_once_when_a_delivery_is_complete_and_holds_no_password():
    feed = {"name": "ocs", "flow": "topup", "side": "ledger", "reader": "csv", "location": "in/*.csv"}
    with pytest.raises(ConfigurationError, match="ready: the control file says when a delivery is complete"):
        build(feed=[{**feed, "ready": {"marker": ".done"}}])
    with pytest.raises(ConfigurationError, match="location: holds a password"):
        build(feed=[{**feed, "location": "sftp://me:hush@host/in/*.csv"}])


@pytest.mark.parametrize(
    ("completeness", "said"),
    [
        ({"numbers": "files"}, "pattern: numbered files are read from their names by one"),
        ({"numbers": "rows", "pattern": "x"}, "pattern: numbered files are read from their names by one"),
        ({"numbers": "files", "pattern": "(?P<nummer>.)"}, "pattern: the named groups number, node, through"),
        ({"numbers": "files", "pattern": "("}, "pattern: an expression of RE2"),
        ({"numbers": "files", "pattern": r"(?P<number>\d)", "nodes": ["A"]}, "nodes: listed where the pattern"),
        ({"numbers": "rows"}, "columns: rows that are numbered have the column number"),
    ],
)
def test_a_sequence_that_cannot_be_read_is_a_mistake_of_the_configuration(completeness, said):
    feed = {"name": "ocs", "flow": "topup", "side": "ledger", "reader": "csv", "location": "in/*.csv"}
    with pytest.raises(ConfigurationError) as raised:
        build(feed=[{**feed, "completeness": {"kind": "sequence", **completeness}}])
    assert said in str(raised.value)
