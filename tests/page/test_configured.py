"""The page of a vcam whose settings name a picture that was never uploaded."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from tests.control.rig import picture
from tests.page.conftest import keep
from tests.page.studio import GREEN, Studio, studio
from tests.pipeline.rig import wait_until

RED = (200, 30, 30)


@pytest.fixture(scope="module")
def room(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Studio]:
    path = tmp_path_factory.mktemp("own") / "red, wall.png"
    path.write_bytes(picture(size=(320, 180), color=RED))
    with studio(tmp_path_factory.mktemp("studio"), background=f"image:{path},fit=cover") as studio_:
        yield studio_


def test_it_is_a_tile_to_which_one_can_return(page: Page, room: Studio) -> None:
    own = page.get_by_role("button", name="As configured")
    expect(own).to_contain_text("red, wall.png")
    expect(own).to_have_attribute("aria-pressed", "true")
    room.wait_corner(RED)
    page.get_by_role("button", name="Green").click()
    room.wait_corner(GREEN)
    expect(own).to_have_attribute("aria-pressed", "false")
    keep(page, "configured")
    own.click()
    room.wait_corner(RED)
    page.locator("#fit").select_option("contain")
    wait_until(lambda: room.desk.config.background.endswith("red, wall.png,fit=contain"))
    expect(own).to_have_attribute("aria-pressed", "true")
    page.keyboard.press("2")
    room.wait_corner(GREEN)
    page.keyboard.press("5")
    wait_until(lambda: room.desk.config.background == room.desk.settings.background)
