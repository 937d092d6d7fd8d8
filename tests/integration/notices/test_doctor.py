"""The doctor signs in to a real message centre and mail server, as a sender would, and sends nothing."""

from reconcile.jobs.doctor.links import examine_channels


def test_what_lets_us_in_is_well_and_is_sent_nothing(town, smsc, post_office):
    town.connect(sms=smsc.port, email=post_office.port)
    assert [(finding.subject, finding.level) for finding in examine_channels(town.world)] == [
        ("sms", "ok"),
        ("email", "ok"),
    ]
    assert smsc.submitted == []
    assert post_office.mails == []


def test_a_message_centre_that_is_away_is_a_failure_that_names_no_secret(town):
    town.connect(sms=1)
    (finding,) = examine_channels(town.world)
    assert (finding.level, "secret" in finding.text) == ("failure", False)
    assert "[sms]" in finding.todo
