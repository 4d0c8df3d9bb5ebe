"""The page for everybody: axe finds nothing, in dark and in light, with everything open; it works without a mouse."""

import importlib.util
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.control.rig import picture
from tests.page.conftest import OpenPage, keep
from tests.page.studio import Studio
from tests.pipeline.rig import wait_until


def axe() -> str:
    """The checker's own text."""
    found = importlib.util.find_spec("axe_playwright_python")
    assert found is not None
    assert found.origin is not None
    return (Path(found.origin).parent / "axe.min.js").read_text()


def violations(page: Page) -> list[str]:
    """What is wrong, and where."""
    page.evaluate(axe())
    found = page.evaluate("axe.run(document, { resultTypes: ['violations'] })")["violations"]
    return [f"{each['id']}: {node['html']} {node['failureSummary']}" for each in found for node in each["nodes"]]


@pytest.mark.parametrize("scheme", ["dark", "light"])
@pytest.mark.parametrize("width", [1280, 360])
def test_axe_finds_no_violation(open_page: OpenPage, room: Studio, scheme: str, width: int) -> None:
    page = open_page(scheme=scheme, width=width)
    room.desk.change_scene({"layers": ("text:Ada Lovelace,Analyst",), "person_brightness": 1.2})
    page.locator("#file").set_input_files(
        {"name": "Wall.png", "mimeType": "image/png", "buffer": picture(size=(320, 180), color=(200, 30, 30))}
    )
    expect(page.get_by_role("button", name="Wall", exact=True)).to_have_attribute("aria-pressed", "true")
    page.locator("#file").set_input_files({"name": "bad.png", "mimeType": "image/png", "buffer": b"bad"})
    expect(page.locator(".notice")).to_be_visible()
    for box in page.locator("details").all():
        box.evaluate("each => { each.open = true; }")
    keep(page, f"axe-{scheme}-{width}")
    assert violations(page) == []


@pytest.mark.parametrize("scheme", ["dark", "light"])
def test_axe_finds_no_violation_in_dialogs_and_states(open_page: OpenPage, room: Studio, scheme: str) -> None:
    page = open_page(scheme=scheme)
    page.keyboard.press("?")
    assert violations(page) == []
    page.keyboard.press("Escape")
    page.get_by_role("button", name="None").click()
    assert violations(page) == []
    page.get_by_role("button", name="Show the room").click()
    expect(page.locator("#banner")).to_have_attribute("data-state", "room")
    assert violations(page) == []
    room.pipeline.pause(paused=True)
    expect(page.locator("#banner")).to_contain_text("Paused")
    assert violations(page) == []


def test_axe_would_find_one(page: Page) -> None:
    page.evaluate("document.body.append(document.createElement('button'))")
    assert any(each.startswith("button-name") for each in violations(page))


def test_everything_can_be_reached_with_the_keyboard(page: Page, room: Studio) -> None:
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    reached = []
    for _ in range(60):
        page.keyboard.press("Tab")
        reached.append(page.evaluate("document.activeElement.id || document.activeElement.textContent.trim()"))
        width = page.evaluate("parseFloat(getComputedStyle(document.activeElement).outlineWidth)")
        assert width >= 2 or reached[-1] == "file", f"{reached[-1]} shows no focus"
    for wanted in ("pause", "show-matte", "Green", "file", "profile-name", "set-person_opacity", "plate-name"):
        assert wanted in reached
    page.get_by_role("button", name="Blur").focus()
    page.keyboard.press("Enter")
    wait_until(lambda: room.desk.config.background.startswith("blur"))
