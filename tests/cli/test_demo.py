"""``vcam demo``: however few pictures, they tell the whole story."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from vcam.cli import demo as module
from vcam.cli.demo import demo
from vcam.cli.moments import Moment
from vcam.cli.options import DemoOptions
from vcam.engine_names import EngineName


@pytest.mark.parametrize("frames", [24, 60])
def test_a_short_demo_shows_the_person_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, frames: int) -> None:
    kept: list[Moment] = []

    def keep(path: Path, moments: Sequence[Moment]) -> None:
        kept.extend(moments)

    monkeypatch.setattr(module, "write_contact_sheet", keep)
    demo(DemoOptions(frames=frames, out=tmp_path, engine=EngineName.PLATE, background="green"))
    covered = [float(moment.alpha.mean()) / 255.0 for moment in kept]
    assert len(covered) == 6
    assert covered[0] < 0.01, "the empty room"
    assert min(covered[1:]) > 0.1, covered
    assert max(covered) < 0.6, covered


def test_a_long_demo_keeps_its_rate_and_the_moments_of_its_first_story() -> None:
    assert module.scene(240) == module.scene(1000) == "test:1280x720@30"
    assert module.moments(1000) == module.moments(240)
    assert module.scene(60) == "test:1280x720@7.5"
    assert module.moments(6)[-1] == 5
