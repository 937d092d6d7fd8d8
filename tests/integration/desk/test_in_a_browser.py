"""The desk in a real Chromium, with scripts switched off, as an agent's phone or a supervisor's screen shows it."""

import os
import shutil

import pytest
import sample
from playwright.sync_api import expect, sync_playwright

from reconcile.jobs.write_report import write_report

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
# The sandbox of Chromium needs a user that is not root; the rest keeps it from calling home.
FLAGS = (
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
)  # fmt: skip
INCIDENT = f"/incidents/{sample.INCIDENT}"
REMEDIED = f"/cases/{sample.case_number(sample.REMEDIED)}"
WIDE, PHONE = {"width": 1280, "height": 900}, {"width": 390, "height": 844}

if CHROMIUM is None and not os.environ.get("CI"):
    pytest.skip("Chromium is not installed (Debian: apt-get install chromium)", allow_module_level=True)


@pytest.fixture(scope="module")
def chromium():
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=list(FLAGS))
        yield browser
        browser.close()


@pytest.fixture
def browse(chromium, desk):
    """`browse("awa")` is a tab in which awa has signed in; what the browser complains about is collected."""
    contexts = []

    def tab(name, viewport=WIDE):
        context = chromium.new_context(viewport=viewport, java_script_enabled=False, base_url=desk)
        contexts.append(context)
        page = context.new_page()
        page.complaints = []
        page.on("console", lambda message: page.complaints.append(message.text))
        page.goto("/sign-in")
        page.fill("input[name=username]", name)
        page.fill("input[name=password]", sample.PASSWORD)
        page.press("input[name=password]", "Enter")
        page.wait_for_url(f"{desk}/")
        return page

    yield tab
    for context in contexts:
        context.close()


def test_an_outage_is_put_right_by_two_people_with_a_few_clicks(browse):
    maker, approver = browse("awa"), browse("issa")
    maker.click("nav >> text=Incidents")
    maker.click("a[data-incident]")
    expect(maker.locator("svg.chart polyline")).to_have_count(2)
    maker.click("form#propose button")
    expect(maker.locator("form#propose")).to_have_count(0)
    expect(maker.locator("form#approve")).to_have_count(0)
    approver.goto("/approvals")
    approver.click(f"a[href='{INCIDENT}']")
    approver.click("form#approve button")
    expect(approver.locator("main")).to_contain_text("Approuvé jusqu’à 24 crédits")  # noqa: RUF001 - French
    assert maker.complaints == approver.complaints == []


def test_the_search_works_by_keyboard_alone(browse):
    page = browse("awa")
    expect(page.locator("#query")).to_be_focused()  # one can type at once
    page.keyboard.type(sample.reference(sample.REMEDIED))
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.wait_for_url(f"**{REMEDIED}")


def test_the_first_stop_of_the_keyboard_skips_the_navigation(browse):
    page = browse("awa")
    page.goto(REMEDIED)
    page.keyboard.press("Tab")
    expect(page.locator(".skip")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("#main")).to_be_focused()


@pytest.mark.parametrize("viewport", [WIDE, PHONE], ids=["wide", "phone"])
def test_no_page_is_wider_than_its_screen_and_no_browser_complains(browse, world, viewport):
    write_report(world)
    page = browse("issa", viewport)
    for path in (
        "/",
        "/incidents",
        INCIDENT,
        "/approvals",
        REMEDIED,
        "/statement",
        "/quarantine",
        "/reports",
        "/flows/topup",
        "/nowhere",
    ):
        page.goto(path)
        width = page.evaluate("document.documentElement.scrollWidth")
        assert width <= viewport["width"], (path, width)
        assert page.locator("h1").count() == 1, path
    refused = [text for text in page.complaints if "404" not in text]
    assert refused == []


def test_a_report_opens_with_its_style_under_the_strict_policy(browse, world):
    write_report(world)
    page = browse("odile")
    page.goto("/reports")
    page.click("text=Rapport du jour, en français")
    expect(page.locator(".kicker")).to_have_css("color", "rgb(11, 92, 122)")
    assert page.complaints == []


def test_every_field_has_a_label_and_every_picture_a_text(browse):
    page = browse("awa")
    for path in ("/", INCIDENT, "/statement"):
        page.goto(path)
        unlabelled = page.evaluate(
            "[...document.querySelectorAll('input:not([type=hidden]), textarea, select')].filter(f => !f.labels.length).length"
        )
        untold = page.evaluate(
            "[...document.querySelectorAll('img:not([alt]), svg[role=img]:not(:has(title))')].length"
        )
        assert (unlabelled, untold) == (0, 0), path
