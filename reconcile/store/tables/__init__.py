"""All tables, one noun a file. Statuses move only along the rows of `transitions`, which triggers enforce."""

from reconcile.store.tables.base import metadata
from reconcile.store.tables.cases import cases, contacts, promises, verdicts
from reconcile.store.tables.desk import sessions, users
from reconcile.store.tables.incidents import approvals, incidents
from reconcile.store.tables.keeping import holds, retired_files, suppressions
from reconcile.store.tables.lake import batches, deliveries, directory, feeds, quarantine, sequence_ranges, sequences
from reconcile.store.tables.notices import notices
from reconcile.store.tables.record import alerts, audit, instance, job_runs, job_totals, transitions
from reconcile.store.tables.remedies import attempts, breakers, budgets, flow_modes, intents, observations, postings
from reconcile.store.tables.runs import run_batches, run_withdrawals, runs, statements

__all__ = [
    "alerts",
    "approvals",
    "attempts",
    "audit",
    "batches",
    "breakers",
    "budgets",
    "cases",
    "contacts",
    "deliveries",
    "directory",
    "feeds",
    "flow_modes",
    "holds",
    "incidents",
    "instance",
    "intents",
    "job_runs",
    "job_totals",
    "metadata",
    "notices",
    "observations",
    "postings",
    "promises",
    "quarantine",
    "retired_files",
    "run_batches",
    "run_withdrawals",
    "runs",
    "sequence_ranges",
    "sequences",
    "sessions",
    "statements",
    "suppressions",
    "transitions",
    "users",
    "verdicts",
]
