import os
import time

import pytest

from reconcile.feeds.inbox import Begun, Inbox


@pytest.fixture
def inbox(configured, tmp_path):
    def inbox(location="in/*.csv", **feed):
        return Inbox(
            configured(side="ledger", location=location, **feed),
            configured(side="ledger", **{**feed, "location": location}).feeds[0],
        )

    (tmp_path / "in").mkdir()
    return inbox


def put(folder, *names):
    for name in names:
        path = folder / "in" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name)


def names(listing):
    return [delivery.source for delivery in listing.ready], [begun.source for begun in listing.begun]


def test_a_delivery_is_ready_when_its_control_file_is_there(inbox, tmp_path):
    put(tmp_path, "b.csv", "b.csv.ctl", "a.csv", "a.csv.ctl", "c.csv", "d.csv.ctl", "e.txt", "e.txt.ctl")
    assert names(inbox().list()) == (["a.csv", "b.csv"], ["c.csv", "d.csv"])


def test_files_that_are_still_being_written_are_not_seen(inbox, tmp_path):
    put(tmp_path, ".a.csv", "b.csv.tmp", "c.csv.part")
    assert names(inbox("in/*").list()) == ([], [])


def test_control_files_are_no_data_whatever_the_pattern(inbox, tmp_path):
    put(tmp_path, "a.csv", "a.csv.ctl")
    assert names(inbox("in/*").list()) == (["a.csv"], [])


def test_deliveries_of_several_folders_keep_the_part_that_tells_them_apart(inbox, tmp_path):
    put(tmp_path, "n1/a.csv", "n1/a.csv.ctl", "n2/a.csv", "n2/a.csv.ctl")
    assert names(inbox("in/*/*.csv").list())[0] == ["n1/a.csv", "n2/a.csv"]


def test_a_url_is_a_location_too(inbox, tmp_path):
    put(tmp_path, "a.csv", "a.csv.ctl")
    found = inbox(f"file://{tmp_path}/in/*.csv")
    (delivery,) = found.list().ready
    assert found.open(delivery.path).read() == b"a.csv"


def test_the_mark_changes_with_either_file(inbox, tmp_path):
    put(tmp_path, "a.csv", "a.csv.ctl")
    marks = [inbox().list().ready[0].mark]
    for name in ("a.csv", "a.csv.ctl"):
        os.utime(tmp_path / "in" / name, (1, len(marks)))
        marks.append(inbox().list().ready[0].mark)
    assert len(set(marks)) == 3


def test_without_control_files_a_file_is_ready_when_it_has_not_changed_for_a_while(inbox, tmp_path):
    put(tmp_path, "a.csv", "b.csv")
    os.utime(tmp_path / "in" / "a.csv", (time.time() - 60, time.time() - 60))
    listing = inbox(completeness={"kind": "delay"}).list()
    assert names(listing) == (["a.csv"], ["b.csv"])
    assert listing.ready[0].control_path is None


def test_an_empty_place_is_no_error(inbox):
    assert names(inbox("nowhere/*.csv").list()) == ([], [])


def test_what_was_taken_and_half_cleared_away_is_left_over():
    known = {("a.csv", "5@1.0 9@1.0")}
    assert Begun("a.csv", "5@1.0").is_left_over(known)
    assert Begun("a.csv", None).is_left_over(known)
    assert not Begun("a.csv", "6@2.0").is_left_over(known)
    assert not Begun("b.csv", None).is_left_over(known)


def test_a_marker_says_that_a_delivery_is_ready_and_is_no_delivery_itself(inbox, tmp_path):
    put(tmp_path, "a.csv", "a.csv.done", "b.csv", "c.csv.done")
    listing = inbox("in/*", completeness={"kind": "delay"}, ready={"marker": ".done"}).list()
    assert names(listing) == (["a.csv"], ["b.csv", "c.csv"])
    assert listing.ready[0].control_path is None


def test_how_long_a_file_must_have_stayed_as_it_is_can_be_said(inbox, tmp_path):
    put(tmp_path, "a.csv", "b.csv")
    os.utime(tmp_path / "in" / "a.csv", (time.time() - 100, time.time() - 100))
    os.utime(tmp_path / "in" / "b.csv", (time.time() - 300, time.time() - 300))
    listing = inbox(completeness={"kind": "delay"}, stable_for="2m").list()
    assert names(listing) == (["b.csv"], ["a.csv"])


def test_a_delivery_that_has_changed_since_it_was_listed_is_noticed(inbox, tmp_path):
    put(tmp_path, "a.csv", "a.csv.ctl")
    place = inbox()
    [delivery] = place.list().ready
    assert place.is_unchanged(delivery)
    (tmp_path / "in" / "a.csv").write_text("more than before")
    assert not place.is_unchanged(delivery)
