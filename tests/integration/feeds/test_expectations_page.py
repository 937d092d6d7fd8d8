"""The page of the expectations: true to what was recorded, and readable where there is no network."""

import os
import re
import shutil
from datetime import timedelta

import pytest

from reconcile.feeds import gate
from reconcile.jobs.write_expectations import write_expectations

from .conftest import NOON, entry, message

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")


@pytest.fixture
def file(operator, tmp_path):
    """The page after two bad ledger rows, one bad message and a delivery that was refused."""
    operator.ledger("1.csv", [entry("E1", amount="1O5O"), entry("E2", account="?", amount="?"), entry("E3")])
    operator.take("ocs")
    operator.at(NOON + timedelta(minutes=1))
    operator.ledger("2.csv", [entry("E4")], rows=7)
    operator.take("ocs")
    operator.messages("1.jsonl", [message("M1", recipient="<b>nobody</b>"), message("M2")])
    operator.take("smsc")
    return write_expectations(operator.world, tmp_path / "page")


def test_each_expectation_stands_there_with_what_broke_it(file):
    text = re.sub(r"\s+", " ", re.sub("<[^>]+>", " ", file.read_text()))
    for suite in gate.SUITES:
        for expectation in gate.suite(suite).expectations:
            assert f" {expectation.meta['name']} " in text
    assert re.search(r"amount_is_readable .{0,400}Whether a purchase was credited in full is this amount. 2 ocs", text)
    assert re.search(r"rows_are_those_announced .{0,600}another number of rows than its control file says. 1 ocs", text)
    assert "ocs: 2.csv" in text
    assert "refused: 2.csv: rows_are_those_announced: The file has 1 rows, its control file says 7." in text
    assert "ocs: 1.csv" in text


def test_no_number_of_a_customer_and_nothing_from_elsewhere_is_in_it(file):
    text = file.read_text()
    assert "0707123456" not in text
    assert re.findall(r"https?://|<script|<link|@import|url\(", text) == []


@pytest.mark.skipif(CHROMIUM is None and not os.environ.get("CI"), reason="Chromium is not installed")
def test_it_is_readable_without_a_network(file, tmp_path):
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        context = browser.new_context(viewport={"width": 1280, "height": 900}, java_script_enabled=False, offline=True)
        page = context.new_page()
        complaints, asked = [], []
        page.on("console", lambda message: complaints.append(message.text))
        page.on("request", lambda request: asked.append(request.url))
        page.goto(file.as_uri())
        assert page.locator("h2").all_inner_texts() == list(gate.SUITES)
        assert page.locator(".bad").first.is_visible()
        page.screenshot(path=tmp_path / "wide.png", full_page=False)
        page.set_viewport_size({"width": 390, "height": 844})
        assert page.evaluate("document.documentElement.scrollWidth") <= 390
        page.screenshot(path=tmp_path / "phone.png")
        browser.close()
    assert (complaints, asked) == ([], [file.as_uri()])
