import pytest

from reconcile.sandbox.settings import read_secrets


def test_secrets_come_from_the_environment():
    secrets = read_secrets({"SANDBOX_TOKEN": "t", "SANDBOX_SMPP_PASSWORD": "p"})
    assert (secrets.token, secrets.smpp_password, secrets.api_key) == ("t", "p", None)
    assert read_secrets({"SANDBOX_TOKEN": "t", "SANDBOX_SMPP_PASSWORD": "p", "SANDBOX_API_KEY": "k"}).api_key == "k"


@pytest.mark.parametrize(
    "environment",
    [{}, {"SANDBOX_TOKEN": "t"}, {"SANDBOX_TOKEN": "t", "SANDBOX_SMPP_PASSWORD": "nine chars"}],
)
def test_a_missing_or_unusable_secret_is_named(environment: dict[str, str]):
    with pytest.raises(ValueError, match="SANDBOX_"):
        read_secrets(environment)
