from datetime import UTC, datetime

import pytest

from reconcile.domain.clock import ClockError, FileClock, WallClock, parse_instant


def test_a_file_clock_says_what_the_file_says(tmp_path):
    file = tmp_path / "clock"
    file.write_text("2024-07-09T13:45:00Z\n")
    clock = FileClock(file)
    assert clock.now() == datetime(2024, 7, 9, 13, 45, tzinfo=UTC)
    file.write_text("2024-07-09T15:50:00+02:00")
    assert clock.now() == datetime(2024, 7, 9, 13, 50, tzinfo=UTC)


@pytest.mark.parametrize("content", ["", "2024-07-09T13:45:00", "noon", None])
def test_without_an_instant_there_is_no_business_time(tmp_path, content):
    file = tmp_path / "clock"
    if content is not None:
        file.write_text(content)
    with pytest.raises(ClockError, match="no business time"):
        FileClock(file).now()


def test_the_wall_clock_is_aware_and_in_utc():
    assert WallClock().now().tzinfo is UTC


def test_an_instant_without_a_zone_is_none():
    with pytest.raises(ValueError, match="no zone"):
        parse_instant("2024-07-09T13:45:00")
