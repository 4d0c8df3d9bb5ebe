"""What leaves can be looked at; the room cannot, and while nobody looks nothing is copied."""

import threading
from concurrent.futures import Future
from dataclasses import dataclass, field, replace

import numpy as np
import pytest

from tests.pipeline import room
from tests.pipeline.rig import LIMIT_S, POLICY, Rig, wait_until
from vcam.frame import Image
from vcam.pipeline import tap as tap_module
from vcam.pipeline.preparation import Preparation
from vcam.pipeline.supervisor import Pipeline
from vcam.pipeline.tap import Tap, Tray
from vcam.pipeline.wiring import OpenedProcessor, Wiring
from vcam.stages import Scene

BACKDROP = room.GreenBackdrop()


@dataclass
class LearningRig(Rig):
    """Its engine counts how often it was told to learn the room, and notes in which thread."""

    taught: list[str] = field(default_factory=list)

    def wiring(self) -> Wiring:
        wiring = super().wiring()

        def open_processor(preparation: Preparation) -> OpenedProcessor:
            opened = wiring.open_processor(preparation)
            return replace(opened, learn=lambda: self.taught.append(threading.current_thread().name))

        return replace(wiring, open_processor=open_processor)


def test_all_who_ask_get_the_same_item_and_the_next_the_next() -> None:
    tray: Tray[int] = Tray()
    first, same = tray.ask(), tray.ask()
    assert tray.wanted
    tray.put(1)
    assert (first.result(0), same.result(0), tray.wanted) == (1, 1, False)
    tray.put(2)
    again = tray.ask()
    assert not again.done()


def test_who_gave_up_is_in_nobodys_way() -> None:
    tray: Tray[int] = Tray()
    assert tray.ask().cancel()
    after: Future[int] = tray.ask()
    tray.put(3)
    assert after.result(0) == 3
    assert tray.ask().cancel()
    tray.put(4)


def test_a_picture_is_copied() -> None:
    tap, source = Tap(), room.paint(room.OUTPUT, (1, 2, 3))
    asked = tap.pictures.ask()
    tap.picture(source)
    source.planes[0][:] = 99
    copy = asked.result(0)
    assert [int(plane.max()) for plane in copy.planes] == [1, 2, 3]


def test_live_pictures_and_cards_can_be_seen_and_no_room() -> None:
    rig = Rig()
    with rig.running() as pipeline:
        rig.wait_live(1)
        live = pipeline.tap.pictures.ask().result(LIMIT_S)
        assert room.shows_person(live.planes)
        pipeline.pause(paused=True)
        rig.wait_card()
        wait_until(lambda: room.is_card(pipeline.tap.pictures.ask().result(LIMIT_S).planes))
        pipeline.pause(paused=False)
        for _ in range(20):
            assert not room.leaks(pipeline.tap.pictures.ask().result(LIMIT_S).planes)


def test_a_matte_is_that_of_the_camera() -> None:
    rig = Rig()
    with rig.running() as pipeline:
        alpha = pipeline.tap.mattes.ask().result(LIMIT_S)
    assert alpha.shape == (room.CAMERA.height, room.CAMERA.width)
    assert int(alpha[112, 160]) == 255
    assert int(alpha[5, 5]) == 0


def test_the_room_that_is_shown_on_purpose_is_not_shown_here() -> None:
    never_late = replace(POLICY, safe_after_s=LIMIT_S, max_latency_s=LIMIT_S)  # a card that comes of it could be seen
    rig = Rig(policy=never_late)
    with rig.running() as pipeline:
        pipeline.change_scene(Scene(BACKDROP, show_room=True))
        assert rig.sink.wait_for(lambda all_: any(map(room.leaks, all_)), LIMIT_S)
        picture, matte, seen = pipeline.tap.pictures.ask(), pipeline.tap.mattes.ask(), len(rig.sink.pictures)
        wait_until(lambda: len(rig.sink.pictures) > seen + 10)
        assert not picture.done()
        assert not matte.done()
        pipeline.pause(paused=True)
        assert room.is_card(picture.result(LIMIT_S).planes)


def test_while_nobody_looks_nothing_is_copied_and_no_alpha_computed(monkeypatch: pytest.MonkeyPatch) -> None:
    def copied(image: Image) -> Image:
        raise AssertionError("nobody asked")

    monkeypatch.setattr(tap_module, "_copied", copied)
    rig = Rig()
    with rig.running() as pipeline:
        monkeypatch.setattr("vcam.compose.cpu.CpuFrameProcessor.last_alpha", copied)
        rig.wait_live(5)
        pipeline.pause(paused=True)
        rig.wait_card()


def test_an_engine_that_learns_the_room_does_so_between_two_frames() -> None:
    rig = LearningRig()
    with rig.running() as pipeline:
        rig.wait_live(1)
        assert rig.taught == []
        assert pipeline.learn()
        wait_until(lambda: rig.taught == ["vcam-frame"])
        rig.wait_live(10)
    assert rig.taught == ["vcam-frame"]


def test_an_engine_that_learns_nothing_says_so() -> None:
    rig = Rig()
    with rig.running() as pipeline:
        rig.wait_live(1)
        assert not pipeline.learn()
    assert not Pipeline(rig.wiring()).learn()


def test_a_copy_is_packed_whatever_the_target_was() -> None:
    asked = (tap := Tap()).pictures.ask()
    padded = replace(room.OUTPUT, stride=512)
    rows = np.zeros((padded.height, 512), np.uint8)
    rows[:, : padded.width] = 7
    half = np.full((padded.height // 2, padded.width // 2), 8, np.uint8)
    source = room.paint(room.OUTPUT, (0, 0, 0))
    tap.picture(replace(source, format=padded, planes=(rows[:, : padded.width], half, half)))
    copy = asked.result(0)
    assert copy.format.stride == 0
    assert int(copy.planes[0].min()) == 7
