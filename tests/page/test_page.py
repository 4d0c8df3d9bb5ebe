"""The page in a real browser, before a live pipeline: what is clicked is what viewers see."""

import base64
import json
import re
from urllib.request import urlopen

import pytest
from playwright.sync_api import Page, Route, expect

from tests.control.rig import picture
from tests.page.conftest import OpenPage, keep
from tests.page.studio import BLUE, GREEN, HEIGHT, WIDTH, Studio, near
from tests.pipeline.rig import wait_until
from tests.support.clip import Clip, write_clip
from vcam.engine_names import EngineName
from vcam.pipeline.snapshot import SafeReason

RED, BLACK = (200, 30, 30), (0, 0, 0)


def tile(page: Page, name: str) -> None:
    page.get_by_role("button", name=re.compile(f"^{name}")).click()


def drop(page: Page, name: str, kind: str, data: bytes) -> None:
    """Let go of a file over the page."""
    page.evaluate(
        """([name, type, data]) => {
          const bytes = Uint8Array.from(atob(data), (letter) => letter.charCodeAt(0));
          const dataTransfer = new DataTransfer();
          dataTransfer.items.add(new File([bytes], name, { type }));
          for (const kind of ["dragenter", "dragover", "drop"])
            document.body.dispatchEvent(new DragEvent(kind, { dataTransfer, bubbles: true, cancelable: true }));
        }""",
        [name, kind, base64.b64encode(data).decode()],
    )


def shown_in(page: Page) -> tuple[int, int, int] | None:
    """The colour of the preview's upper left corner, as the browser has it; None while it has none."""
    red, green, blue, alpha = page.evaluate(
        """() => {
          const canvas = document.createElement("canvas");
          const context = canvas.getContext("2d");
          context.drawImage(document.getElementById("preview"), 0, 0);
          return [...context.getImageData(4, 4, 1, 1).data];
        }"""
    )
    return (int(red), int(green), int(blue)) if alpha == 255 else None


def shows(page: Page, color: tuple[int, int, int]) -> bool:
    """The preview's corner has that colour."""
    seen = shown_in(page)
    return seen is not None and max(abs(a - b) for a, b in zip(seen, color, strict=True)) < 16


def test_the_picture_that_leaves_is_shown_live(page: Page, room: Studio) -> None:
    expect(page.locator("#preview")).to_be_visible()
    wait_until(lambda: page.evaluate("document.getElementById('preview').naturalWidth") == WIDTH)
    assert page.evaluate("document.getElementById('preview').naturalHeight") == HEIGHT
    wait_until(lambda: shows(page, GREEN))
    expect(page.locator("#fps")).to_have_text(re.compile(r"^\d"))
    expect(page.locator("#latency")).to_have_text(re.compile(r"^\d"))
    expect(page.locator("#times tbody tr").first).to_be_visible()
    keep(page, "live")


def test_a_hidden_tab_asks_for_no_picture(page: Page, room: Studio) -> None:
    wait_until(lambda: room.app.preview.viewers == 1)
    hide = """(hidden) => {
      Object.defineProperty(document, "hidden", { value: hidden, configurable: true });
      document.dispatchEvent(new Event("visibilitychange"));
    }"""
    page.evaluate(hide, True)
    wait_until(lambda: room.app.preview.viewers == 0 and room.app.events.listeners == 0)
    page.evaluate(hide, False)
    wait_until(lambda: room.app.preview.viewers == 1 and room.app.events.listeners == 1)


def test_the_matte_can_be_looked_at(page: Page, room: Studio) -> None:
    page.get_by_role("button", name="Matte").click()
    wait_until(lambda: shows(page, BLACK))
    keep(page, "matte")
    page.keyboard.press("m")
    wait_until(lambda: shows(page, GREEN))


def test_tiles_change_the_background(page: Page, room: Studio) -> None:
    tile(page, "Colour")
    page.locator("#color").fill("#0000ff")
    room.wait_corner(BLUE)
    expect(page.get_by_role("button", name="Colour", pressed=True)).to_be_visible()
    tile(page, "Green")
    room.wait_corner(GREEN)
    page.keyboard.press("3")
    wait_until(lambda: room.desk.config.background.startswith("color"))


def test_the_room_is_shown_only_after_a_question(page: Page, room: Studio) -> None:
    tile(page, "None")
    keep(page, "question")
    page.get_by_role("button", name="Keep it hidden").click()
    assert room.desk.config.background == "green"
    tile(page, "None")
    page.get_by_role("button", name="Show the room").click()
    expect(page.locator("#banner")).to_have_attribute("data-state", "room")
    expect(page.locator("#preview")).to_be_hidden()
    expect(page.locator("#veil")).to_have_text(re.compile("not shown here"))
    tile(page, "Green")
    expect(page.locator("#preview")).to_be_visible()
    room.wait_corner(GREEN)


def test_a_picture_is_uploaded_and_shown(page: Page, room: Studio) -> None:
    page.locator("#file").set_input_files(
        {"name": "Red wall.png", "mimeType": "image/png", "buffer": picture(size=(320, 180), color=RED)}
    )
    room.wait_corner(RED)
    wall = page.get_by_role("button", name="Red wall", exact=True)
    expect(wall).to_have_attribute("aria-pressed", "true")
    page.locator("#fit").select_option("contain")
    wait_until(lambda: room.desk.config.background.endswith(",fit=contain"))
    keep(page, "uploaded")
    page.get_by_role("button", name="Delete Red wall").click()
    expect(page.locator(".notice")).to_contain_text("is shown now")
    tile(page, "Green")
    room.wait_corner(GREEN)
    page.get_by_role("button", name="Delete Red wall").click()
    expect(wall).to_have_count(0)


def test_a_dropped_picture_is_taken_and_a_broken_one_told(page: Page, room: Studio) -> None:
    drop(page, "Blue wall.png", "image/png", picture(size=(320, 180), color=(20, 30, 200)))
    room.wait_corner((20, 30, 200))
    drop(page, "holiday.png", "image/png", b"no picture")
    expect(page.locator(".notice")).to_contain_text("holiday.png is not a picture")
    expect(page.locator(".notice")).to_contain_text("upload a JPEG, PNG")
    keep(page, "broken")
    room.wait_corner((20, 30, 200))
    drop(page, "notes.txt", "text/plain", b"dear all")
    expect(page.locator(".notice").last).to_contain_text("notes.txt: text/plain is neither a picture nor a video")
    expect(page.locator(".notice").last).to_contain_text("upload a JPEG, PNG")
    page.get_by_role("button", name="Dismiss").first.click()
    expect(page.locator(".notice")).to_have_count(1)


def test_sliders_apply_at_once_and_groups_are_reset(page: Page, room: Studio) -> None:
    person = page.get_by_role("slider", name="Opacity")
    wait_until(lambda: not near(room.picture(), GREEN))
    person.focus()
    page.keyboard.press("Home")
    room.wait_everywhere(GREEN)
    expect(page.get_by_role("img", name="changed")).to_be_visible()
    keep(page, "gone")
    page.get_by_role("button", name="Reset person").click()
    room.wait_everywhere(GREEN, shown=False)
    assert room.desk.config.person_opacity == 1.0


def test_the_last_of_many_values_wins(page: Page, room: Studio) -> None:
    sent: list[str | None] = []
    page.on("request", lambda request: sent.append(request.post_data) if request.method == "PATCH" else None)
    page.evaluate(
        """() => {
          const slider = document.getElementById("set-person_brightness");
          for (let k = 0; k <= 200; k += 1) {
            slider.value = k / 100;
            slider.dispatchEvent(new Event("input", { bubbles: true }));
          }
          slider.value = 0.5;
          slider.dispatchEvent(new Event("input", { bubbles: true }));
        }"""
    )
    wait_until(lambda: room.desk.config.person_brightness == 0.5)
    expect(page.locator("#set-person_brightness")).to_have_value("0.5")
    assert sent == ['{"person_brightness":0}', '{"person_brightness":0.5}'], "and not two hundred"


def test_what_others_change_is_followed(page: Page, room: Studio) -> None:
    room.desk.change_scene({"person_contrast": 1.5, "background": "color:#102030", "mirror": True})
    expect(page.locator("#set-person_contrast")).to_have_value("1.5")
    expect(page.get_by_role("button", name="Colour", pressed=True)).to_be_visible()
    expect(page.locator("#set-mirror")).to_be_checked()


def test_profiles_are_saved_applied_and_deleted(page: Page, room: Studio) -> None:
    page.get_by_label("Save what you see as").fill("meadow")
    page.get_by_role("button", name="Save", exact=True).click()
    meadow = page.get_by_role("button", name="meadow", exact=True)
    expect(meadow).to_have_attribute("aria-pressed", "true")
    tile(page, "Colour")
    page.locator("#color").fill("#0000ff")
    room.wait_corner(BLUE)
    expect(meadow).to_have_attribute("aria-pressed", "false")
    meadow.click()
    room.wait_corner(GREEN)
    keep(page, "profiles")
    page.get_by_role("button", name="Delete profile meadow").click()
    expect(meadow).to_have_count(0)


def test_pause_shows_the_card_and_says_so(page: Page, room: Studio) -> None:
    page.get_by_role("button", name="Pause").click()
    expect(page.locator("#banner")).to_contain_text("Paused")
    room.wait_everywhere(GREEN, shown=False)
    assert room.pipeline.paused
    keep(page, "paused")
    page.keyboard.press("p")
    expect(page.locator("#banner")).to_have_attribute("data-state", "live")
    assert not room.pipeline.paused


@pytest.mark.parametrize(
    ("told", "banner"),
    [
        ({"state": "safe", "safe_reason": "engine_building", "plan": {"share": 0.43}}, "Building plan: 43 %."),
        ({"state": "safe", "safe_reason": "camera_lost"}, "The camera is gone."),
        ({"state": "idle"}, "Nobody watches"),
        ({"state": "starting", "safe_reason": "engine_loading"}, "The engine is being loaded."),
    ],
)
def test_the_banner_says_why_in_words(page: Page, room: Studio, told: dict[str, object], banner: str) -> None:
    with urlopen(f"{room.url}api/v1/state") as answer:
        now = json.load(answer)
    plan = told.get("plan", {})
    assert isinstance(plan, dict)
    state = {**now, **told, "plan": {**now["plan"], **plan}}
    event = f"event: state\ndata: {json.dumps(state)}\n\n"
    page.route("**/api/v1/events", lambda route: route.fulfill(content_type="text/event-stream", body=event))
    page.reload()
    expect(page.locator("#banner")).to_contain_text(banner)
    keep(page, f"banner-{told['state']}-{told.get('safe_reason', '')}".rstrip("-"))


def test_name_plates_are_shown_moved_and_removed(page: Page, room: Studio) -> None:
    before = room.picture()[120:, :160]
    page.get_by_label("Name plate").fill("Ada = Lovelace, Countess")
    page.get_by_role("button", name="Add", exact=True).click()
    expect(page.locator(".layer")).to_contain_text("Ada Lovelace, Countess".replace("Ada ", "Ada  "))
    wait_until(lambda: not near(room.picture()[120:, :100], GREEN))
    assert before.shape == (60, 160, 3)
    keep(page, "layers")
    page.get_by_label("Place").select_option("top-right")
    wait_until(lambda: not near(room.picture()[:60, 220:], GREEN))
    page.get_by_role("button", name="Remove Ada").click()
    wait_until(lambda: near(room.picture()[:60, 220:], GREEN))
    expect(page.locator(".layer")).to_have_count(0)


def test_a_video_can_stand_before_the_person(page: Page, room: Studio) -> None:
    clip = write_clip(room.folder / "fire.mp4", Clip(codec="mpeg4", frames=3))
    page.locator("#file").set_input_files(clip)
    page.get_by_role("button", name="Fire moving").wait_for()
    page.get_by_label("Picture or video").select_option("Fire.mp4")
    expect(page.locator(".layer")).to_contain_text("video")
    wait_until(lambda: room.desk.config.layers[0].startswith(f"video:{room.folder}"))
    tile(page, "Green")
    page.get_by_role("button", name="Remove Fire").click()
    expect(page.locator(".layer")).to_have_count(0)


def test_shortcuts_are_listed_and_can_be_switched_off(page: Page, room: Studio) -> None:
    page.keyboard.press("?")
    expect(page.get_by_role("dialog", name="Keyboard shortcuts")).to_be_visible()
    keep(page, "shortcuts")
    page.get_by_label("Use them").uncheck()
    page.get_by_role("button", name="Close").click()
    page.keyboard.press("p")
    page.keyboard.press("?")
    expect(page.get_by_role("dialog", name="Keyboard shortcuts")).to_be_hidden()
    assert not room.pipeline.paused
    page.get_by_label("Save what you see as").press("t")
    assert page.evaluate("document.documentElement.dataset.theme ?? null") is None


def test_engine_and_camera_are_picked(page: Page, room: Studio) -> None:
    def reloads() -> int:
        return room.pipeline.snapshot().safe.get(SafeReason.RELOAD, 0)

    before = reloads()
    page.get_by_label("Quality").select_option("fast")
    wait_until(lambda: room.desk.config.quality == "fast")
    wait_until(lambda: reloads() > before)
    wait_until(room.pipeline.learn)  # the engine that was opened anew is there
    expect(page.locator("#banner")).to_have_attribute("data-state", "live")
    expect(page.locator("#setup-engine option[value=tensorrt]")).to_be_disabled()
    page.get_by_role("button", name="Learn the empty room").click()
    expect(page.locator(".notice")).to_contain_text("Step out of the picture")


def test_an_engine_that_could_not_be_opened_is_told_and_the_one_before_shown(page: Page, room: Studio) -> None:
    absent = room.folder / "none.onnx"
    room.desk.change_setup({"engine": EngineName.OPENVINO, "model": str(absent), "model_download": False})
    told = page.locator(".notice")
    expect(told).to_contain_text("none.onnx")
    expect(told).to_contain_text("Camera and engine are as before: model file")
    keep(page, "refused")
    expect(page.locator("#setup-engine")).to_have_value("plate")
    expect(page.locator("#banner")).to_have_attribute("data-state", "live")


def test_dark_and_light_are_chosen_and_kept(open_page: OpenPage) -> None:
    page = open_page(scheme="light")
    ground = "getComputedStyle(document.body).backgroundColor"
    light = page.evaluate(ground)
    page.get_by_role("button", name="Change between dark and light").click()
    dark = page.evaluate(ground)
    assert dark != light
    page.reload()
    assert page.evaluate(ground) == dark


def test_a_script_that_did_not_arrive_is_asked_for_again(page: Page) -> None:
    lost: list[str] = []

    def lose_once(route: Route) -> None:
        if lost:
            route.continue_()
        else:
            lost.append(route.request.url)
            route.abort()

    page.route("**/sliders.js", lose_once)
    page.reload()
    page.locator("#groups details").first.wait_for()
    expect(page.locator("#banner")).to_have_attribute("data-state", "live")
    assert lost


@pytest.mark.parametrize("width", [360, 768, 1280, 1920])
def test_nothing_is_wider_than_the_screen(open_page: OpenPage, width: int) -> None:
    page = open_page(width=width, height=800)
    for box in page.locator("details").all():
        box.evaluate("each => { each.open = true; }")
    assert page.evaluate("document.documentElement.scrollWidth") == width
    keep(page, f"width-{width}")
