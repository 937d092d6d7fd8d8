"""One file for each DAG step: the only place that puts stages together in one transaction."""
