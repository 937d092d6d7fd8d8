"""Rows that were kept back, as people at the desk see them and let go of one."""

import os
import shutil
from uuid import UUID

import pytest
import sample
import sqlalchemy as sa

from reconcile.domain.ids import derive
from reconcile.store.tables import audit, batches, quarantine

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")


@pytest.fixture
def rows(world):
    """Two rows of the ledger: one that holds a customer with an open case, one that holds everybody; returns their ids."""
    found = {}
    with world.database.begin() as connection:
        batch = connection.execute(sa.select(batches).where(batches.c.side == "ledger")).first()
        account = connection.execute(
            sa.text("select account from cases where status = 'open' and owed_minor > 0 limit 1")
        )
        whose = account.scalar_one()
        for name, number, owner in (("somebody", 7, whose), ("anybody", 8, None)):
            found[name] = derive("quarantine", str(batch.batch_id), str(number))
            connection.execute(
                sa.insert(quarantine).values(
                    quarantine_id=found[name], batch_id=batch.batch_id, feed=batch.feed, flow=batch.flow, side="ledger",
                    row_number=number, row_key=f"E{number}", reason="amount_is_readable: '1O5O' is not an amount",
                    raw=f"E{number};{whose};1O5O", account=owner, status="held", quarantined_at=sample.NOW,
                )
            )  # fmt: skip
    return found, whose


def test_an_engineer_sees_why_rows_wait_and_whom_they_hold_but_no_number(sign_in, rows):
    found, whose = rows
    engineer = sign_in("marc")
    page = engineer.page("/quarantine")
    assert "<code>amount_is_readable</code></td><td>2</td>" in page
    assert "everybody: its period is not proven" in page
    row = engineer.page(f"/quarantine/{found['somebody']}")
    assert "purchases of this account or receipt" in row
    assert 'href="/cases/' in row
    for text in (page, row):
        assert whose not in text
        assert whose.removeprefix("+225") not in text


def test_a_supervisor_dismisses_a_row_with_a_reason_and_only_once(sign_in, rows, world):
    found, _ = rows
    address = f"/quarantine/{found['anybody']}"
    issa = sign_in("issa")
    form = issa.form(address, "dismiss")
    assert issa.post_form(address, "dismiss", reason="une ligne de test").status_code == 303
    assert "écartée" in issa.page(address)
    assert issa.client.post(form.action, data={**form.fields, "reason": "encore"}).status_code == 409
    with world.database.begin() as connection:
        [noted] = connection.execute(sa.select(audit).where(audit.c.action == "quarantine_dismissed")).all()
    assert (noted.actor, noted.reason) == ("user:issa", "une ligne de test")


def test_an_auditor_may_look_and_an_agent_may_not(sign_in, rows):
    found, _ = rows
    auditor, agent = sign_in("odile"), sign_in("awa")
    fields = agent.form("/", None).fields
    assert agent.get("/quarantine").status_code == 403
    assert (
        agent.client.post(f"/quarantine/{found['somebody']}/dismiss", data={**fields, "reason": "x"}).status_code == 403
    )
    assert auditor.get("/quarantine").status_code == 200
    assert auditor.get(f"/quarantine/{UUID(int=0)}").status_code == 404


@pytest.mark.skipif(CHROMIUM is None and not os.environ.get("CI"), reason="Chromium is not installed")
def test_it_works_in_a_browser_without_scripts_on_a_phone(desk, rows, tmp_path):
    from playwright.sync_api import expect, sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        context = browser.new_context(viewport={"width": 390, "height": 844}, java_script_enabled=False, base_url=desk)
        page = context.new_page()
        page.goto("/sign-in")
        page.fill("input[name=username]", "issa")
        page.fill("input[name=password]", sample.PASSWORD)
        page.press("input[name=password]", "Enter")
        page.click("a[href='/quarantine']")
        page.wait_for_url("**/quarantine")
        page.screenshot(path=tmp_path / "list.png")
        assert page.evaluate("document.documentElement.scrollWidth") <= 390
        page.click("a[data-row] >> nth=0")
        page.wait_for_url("**/quarantine/*")
        page.fill("input[name=reason]", "une ligne de test")
        page.screenshot(path=tmp_path / "row.png")
        assert page.evaluate("document.documentElement.scrollWidth") <= 390
        page.click("form#dismiss button")
        expect(page.locator("main")).to_contain_text("écartée")
        browser.close()
