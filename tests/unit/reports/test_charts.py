"""Charts are SVG that a strict page may hold: well formed, without script or inline style."""

from datetime import UTC, datetime, timedelta
from xml.etree import ElementTree as ET

import pytest

from reconcile.reports.charts import Series, line_chart
from reconcile.reports.formats import Formats

BEGIN = datetime(2024, 7, 9, 13, 25, tzinfo=UTC)
FORMATS = Formats("fr", "Africa/Abidjan")
SVG = "{http://www.w3.org/2000/svg}"


def drawn(values, marked=(None, None)):
    moments = [BEGIN + timedelta(minutes=number) for number in range(len(values))]
    chart = line_chart(
        moments, [Series("a <b> & c", "confirmed", values)], formats=FORMATS, title="t <&>", marked=marked
    )
    return ET.fromstring(chart.svg), chart  # noqa: S314 - our own text


@pytest.mark.parametrize("values", [[], [0], [3, 5, 2], [0, 0, 0], list(range(120))])
def test_a_line_has_one_point_for_each_moment_and_stays_on_the_paper(values):
    root, chart = drawn(values)
    points = root.find(f"{SVG}polyline").get("points").split()
    assert len(points) == len(values)
    _, _, width, height = map(float, root.get("viewBox").split())
    for point in points:
        x, y = map(float, point.split(","))
        assert 0 <= x <= width
        assert 0 <= y <= height
    assert chart.series[0].total == sum(values)


def test_the_outage_is_shaded_from_its_start_to_its_end_or_to_the_edge_while_it_lasts():
    start = BEGIN + timedelta(minutes=20)
    closed = drawn([1] * 61, (start, start + timedelta(minutes=20)))[0].find(f"{SVG}rect")
    lasting = drawn([1] * 61, (start, None))[0].find(f"{SVG}rect")
    assert closed.get("x") == lasting.get("x")
    assert float(closed.get("width")) * 2 == pytest.approx(float(lasting.get("width")), abs=1)


def test_what_comes_in_bursts_is_drawn_below_with_a_scale_of_its_own():
    moments = [BEGIN + timedelta(minutes=number) for number in range(5)]
    lines, ours = Series("confirmed", "confirmed", [3, 4, 5, 4, 3]), Series("ours", "recredited", [0, 0, 400, 1, 0])
    plain = line_chart(moments, [lines], formats=FORMATS, title="t")
    with_bars = line_chart(moments, [lines], formats=FORMATS, title="t", below=ours)
    root = ET.fromstring(with_bars.svg)  # noqa: S314 - our own text
    assert ET.fromstring(plain.svg).find(f"{SVG}polyline").get("points") == root.find(f"{SVG}polyline").get("points")  # noqa: S314 - our own text
    assert len(root.findall(f"{SVG}rect")) == 2
    assert "400" in [text.text for text in root.findall(f"{SVG}text")]
    assert with_bars.series[-1] is ours


def test_a_chart_holds_no_script_no_style_and_a_title_for_whoever_cannot_see_it():
    root, _ = drawn([1, 2])
    assert root.find(f"{SVG}title").text == "t <&>"
    for element in root.iter():
        assert "style" not in element.attrib
        assert not element.tag.endswith(("script", "style"))
