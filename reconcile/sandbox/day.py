"""The sandbox day: what is fixed about 9 July 2024, whatever the seed."""

from datetime import UTC, datetime, timedelta
from typing import Final

DAY_START: Final = datetime(2024, 7, 9, tzinfo=UTC)
DAY_END: Final = DAY_START + timedelta(days=1)

# Nothing reaches the balances in [start, end); what was only held up lands until the queue has drained.
OUTAGE_START: Final = DAY_START + timedelta(hours=13, minutes=45)
OUTAGE_END: Final = DAY_START + timedelta(hours=14, minutes=20)
DRAIN_END: Final = DAY_START + timedelta(hours=14, minutes=32)

# Two originals surface an hour after the outage, when a re-credit may long have been made.
VERY_LATE_AT: Final = DAY_START + timedelta(hours=15, minutes=20)

# The operator takes back the second of some doubled credits in this span.
REVERSALS_START: Final = DAY_START + timedelta(hours=14, minutes=40)
REVERSALS_END: Final = DAY_START + timedelta(hours=15, minutes=10)

# The clock may run on after midnight, so that the last purchases can be judged and put right; not for ever.
CLOCK_END: Final = DAY_END + timedelta(days=7)

# A customer counts as wronged when the units are not there this long after the confirmation.
WRONGED_AFTER: Final = timedelta(minutes=15)
