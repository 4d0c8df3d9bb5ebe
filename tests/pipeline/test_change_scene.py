"""A scene that is replaced under load: nothing it had goes on, nothing is shown of the room, no frame is missed."""

from dataclasses import replace

from tests.pipeline.rig import POLICY, Rig
from tests.pipeline.room import GreenBackdrop
from vcam.stages import Scene


class _Film:
    def __init__(self) -> None:
        self.closed = 0

    def close(self) -> None:
        self.closed += 1


def test_what_plays_ends_when_its_scene_is_replaced_and_with_the_pipeline() -> None:
    first, second, third = _Film(), _Film(), _Film()
    rig = Rig()
    with rig.running() as pipeline:
        pipeline.change_scene(Scene(GreenBackdrop(), films=(first, second)))
        rig.wait_live(2)
        pipeline.change_scene(Scene(GreenBackdrop(), films=(second,)))
        assert (first.closed, second.closed) == (1, 0)
        pipeline.reload(replace(rig.wiring(), scene=Scene(GreenBackdrop(), films=(third,))))
        assert (second.closed, third.closed) == (1, 0)
    assert third.closed == 1
    rig.assert_closed()


def test_a_thousand_changes_lose_no_frame() -> None:
    rig = Rig(policy=replace(POLICY, safe_after_s=10.0))
    with rig.running() as pipeline:
        rig.wait_live(3)
        before = pipeline.snapshot().safe
        films = [_Film() for _ in range(1000)]
        for film in films:
            pipeline.change_scene(Scene(GreenBackdrop(), films=(film,)))
        rig.wait_live(len(rig.sink.pictures) + 3)
        assert pipeline.snapshot().safe == before
    assert all(film.closed == 1 for film in films)
    rig.assert_closed()
