"""The page from another computer: the browser asks for the token as for a password, and everything works with it."""

import socket
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from tests.control.rig import SECRET
from tests.page.studio import studio
from tests.pipeline.rig import wait_until


def own_address() -> str | None:
    """One that is not the loopback's: whoever connects to it does so from afar."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))  # sends nothing
        except OSError:
            return None
        address: str = probe.getsockname()[0]
    return None if address.startswith("127.") else address


def test_the_token_is_asked_for_as_a_password(browser: Browser, tmp_path: Path) -> None:
    address = own_address()
    if address is None:
        pytest.skip("this computer has no address but the loopback's")
    with studio(tmp_path, address, SECRET) as room:
        stranger = browser.new_context(http_credentials={"username": "ada", "password": "a wrong password"})
        page = stranger.new_page()
        answer = page.goto(room.url)
        assert answer is not None
        assert answer.status == 401
        assert "vcam" in answer.headers["www-authenticate"]
        stranger.close()
        known = browser.new_context(http_credentials={"username": "ada", "password": SECRET})
        page = known.new_page()
        page.goto(room.url)
        expect(page.locator("#banner")).to_have_attribute("data-state", "live")
        wait_until(lambda: room.app.preview.viewers == 1)
        page.get_by_role("button", name="Colour").click()
        wait_until(lambda: room.desk.config.background == "color")
        known.close()
