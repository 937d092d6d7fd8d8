"""The passes over more rows than one machine should take: accounts are spread over buckets, and each is matched by itself.

Nothing is lost and nothing is counted twice, because
1. a row lies in one file, a file is cut into pieces that do not overlap, and a row of a piece goes to one bucket: that of its account;
2. every pass compares rows of one account and asset (`account_key`), but for those that look for a reference, an id or a key of ours
   wherever it is; accounts that share one of these go to one bucket (`links.sql`), and so do those that these are connected with;
3. so each bucket holds everything that could concern its rows, and runs the same SQL as a single machine: what it says of them is
   what a single machine would say;
4. results are rows about rows of one bucket, which are put together, or sums over them, which are added up; and that the rows of
   all buckets are those of the files is counted at the end.
"""
# ruff: noqa: S608 - our own names

from collections.abc import Sequence
from math import ceil
from pathlib import Path
from typing import Final

from reconcile.matching.cluster import Cluster
from reconcile.matching.session import Session
from reconcile.matching.spread import bucket, connections, parcels
from reconcile.matching.spread.sources import Source, cut
from reconcile.matching.statement import ConservationError
from reconcile.matching.terms import Terms

TASK_ROWS_MAX: Final = 500_000
"""Rows that a machine reads in one go, and holds in memory."""
BUCKET_ROWS: Final = 1_000_000
"""Rows of all sides in a bucket on the average; an account with more has a bigger one."""


def spread_passes(session: Session, terms: Terms, matches: Path, cluster: Cluster, sources: Sequence[Source]) -> None:
    """What `passes.run_passes` and `handed_on.sql` do, over the rows of `sources`: they leave the same file and the same names.

    The session has the views new_confirmation, new_entry (and new_payment) over the same rows.
    Raises `statement.ConservationError` and `cluster.ClusterError`.
    """
    rows = sum(source.rows for source in sources)
    tasks = cut(sources, min(TASK_ROWS_MAX, ceil(rows / cluster.parallelism)))
    buckets = max(cluster.parallelism, ceil(rows / BUCKET_ROWS))
    connected = connections.find(cluster, tasks, terms, buckets)
    plan = bucket.Plan(tasks, terms, connected, buckets)
    folder = session.scratch / "buckets"
    folder.mkdir()
    files = parcels.put_together(bucket.settle_all(cluster, plan), folder)
    session.write(f"FROM {parcels.scan(files[bucket.MATCHES])}", matches)
    for name in bucket.result_names(terms):
        session.execute(f"CREATE TEMP VIEW bucket_{name} AS FROM {parcels.scan(files[name])}")
    session.run("gathered")
    if not terms.foreign:
        session.run("gathered_state")
    _check(session, terms)


def _check(session: Session, terms: Terms) -> None:
    paid = "(SELECT count(*) FROM new_payment)" if terms.paid else "0"
    [(told, posted, payments)] = session.rows(
        "SELECT (SELECT count(*) FROM new_confirmation) - new_confirmations, (SELECT count(*) FROM new_entry) - new_entries,"
        f" {paid} - new_payments FROM tally"
    )
    if told or posted or payments:
        raise ConservationError(
            f"rows of the files less rows of the buckets: confirmations {told}, entries {posted}, payments {payments}"
        )
