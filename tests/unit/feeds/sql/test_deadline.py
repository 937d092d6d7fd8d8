import threading

import pytest

from reconcile.feeds.sql.deadline import OverdueError, within


def test_what_is_done_in_time_is_returned():
    assert within(60, lambda: 7) == 7
    assert within(60, lambda: None) is None


def test_what_goes_wrong_is_raised_where_it_is_waited_for():
    with pytest.raises(ZeroDivisionError):
        within(60, lambda: 1 // 0)


def test_what_takes_longer_is_left_behind():
    done = threading.Event()
    with pytest.raises(OverdueError, match=r"took longer than 0\.05 s"):
        within(0.05, done.wait)
    done.set()
