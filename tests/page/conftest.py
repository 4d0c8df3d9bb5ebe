"""A browser that is installed here; without one these tests are left out, unless VCAM_REQUIRE=page asks for them."""

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Error, Page, expect, sync_playwright

from tests.page.studio import Studio, studio
from tests.pipeline.rig import LIMIT_S

OUT = Path(__file__).parents[2] / "out" / "page"
_NAMES = ("chromium", "chromium-browser", "google-chrome")

expect.set_options(timeout=LIMIT_S * 1000)

OpenPage = Callable[..., Page]


@pytest.fixture(scope="package")  # while it lives, no other test may have an event loop in this thread
def browser() -> Iterator[Browser]:
    found = next(filter(None, map(shutil.which, _NAMES)), None)
    if found is None:
        reason = "there is no Chromium here: apt-get install chromium"
        if "page" in os.environ.get("VCAM_REQUIRE", "").split(","):
            pytest.fail(reason)
        pytest.skip(reason)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found, args=["--no-sandbox"])  # CI runs as root
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def room(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Studio]:
    with studio(tmp_path_factory.mktemp("studio")) as studio_:
        yield studio_


@pytest.fixture
def open_page(browser: Browser, room: Studio) -> Iterator[OpenPage]:
    """Opens the page, as ``browser.new_context`` is told; nothing may go wrong in it but what a test expects."""
    contexts: list[BrowserContext] = []
    wrong: list[str] = []

    def noted(message: ConsoleMessage) -> None:
        if message.type in ("error", "warning") and "Failed to load resource" not in message.text:
            wrong.append(message.text)

    def failed(error: Error) -> None:
        wrong.append(str(error))

    def opened(*, width: int = 1280, height: int = 900, scheme: str = "dark") -> Page:
        context = browser.new_context(
            viewport={"width": width, "height": height},
            color_scheme="light" if scheme == "light" else "dark",
            reduced_motion="reduce",
        )
        contexts.append(context)
        page = context.new_page()
        page.on("console", noted)
        page.on("pageerror", failed)
        page.goto(room.url)
        expect(page.locator("#banner")).to_have_attribute("data-state", "live")
        page.locator("#tiles .add").wait_for()
        page.locator("#groups details").first.wait_for()
        return page

    room.pipeline.pause(paused=False)
    room.desk.reload()
    yield opened
    for context in contexts:
        context.close()
    assert wrong == []


@pytest.fixture
def page(open_page: OpenPage) -> Page:
    return open_page()


def keep(page: Page, name: str) -> None:
    """A screenshot, for people to look at."""
    OUT.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=OUT / f"{name}.png", full_page=True)
