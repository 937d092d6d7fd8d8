"""The list of metrics, its page, and its names as they are scraped."""

import re
from pathlib import Path

from prometheus_client.parser import text_string_to_metric_families

from reconcile.metrics import prometheus
from reconcile.metrics.catalogue import METRICS, PREFIX
from reconcile.metrics.reading import Point
from reconcile.resources import folder, text

PAGE = Path(__file__).parents[3] / "docs" / "metrics.md"
ROW = re.compile(r"^\| `([a-z_.]+)` \| (\w+) \| `([^`]+)` \| ([a-z, ]+) \|", re.MULTILINE)


def test_each_metric_stands_on_its_page_as_it_is():
    documented = {
        name: (kind, unit, set(names.split(", "))) for name, kind, unit, names in ROW.findall(PAGE.read_text())
    }
    known = {
        f"{PREFIX}{metric.name}": (metric.kind, metric.unit, {*metric.attributes, *(name for name, _ in metric.fixed)})
        for metric in METRICS
    }
    assert documented == known


def test_metrics_of_one_name_stand_together_and_agree():
    names = [metric.name for metric in METRICS]
    assert list(dict.fromkeys(names)) == [
        name for before, name in zip([None, *names], names, strict=False) if before != name
    ]
    for name in names:
        assert len({(metric.kind, metric.unit, metric.description) for metric in METRICS if metric.name == name}) == 1


def test_each_query_is_used_and_says_what_goes_in_and_what_comes_out():
    files = {path.stem for path in (folder("sql") / "metrics").glob("*.sql")}
    assert files == {metric.query for metric in METRICS}
    for name in files:
        comment = text(f"sql/metrics/{name}.sql").partition("select")[0]
        assert [part for part in ("-- In:", "-- Out:", "-- Why cheap:") if part not in comment] == []


def test_values_and_attributes_survive_the_scrape():
    hostile = 'a "quoted"\\name\nwith more'
    points = [Point(metric, {"reconcile.flow": hostile}, number) for number, metric in enumerate(METRICS)]
    families = list(text_string_to_metric_families(prometheus.exposition(points)))
    samples = [sample for family in families for sample in family.samples]
    assert [sample.value for sample in samples] == list(range(len(METRICS)))
    assert {sample.labels["reconcile_flow"] for sample in samples} == {hostile}
    assert {family.type for family in families} == {"gauge", "counter"}
    assert "reconcile_feed_watermark_age_seconds" in {family.name for family in families}
