"""Pictures where vcam may not look, as in /home when systemd started it."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from vcam.errors import MediaError
from vcam.scene.layers import build_layers
from vcam.scene.spec import build_scene


@pytest.fixture
def hidden(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder into which nobody may look; root may into any, so the system calls are stood in for."""
    folder = tmp_path / "home"

    def forbid(call: Callable[..., object]) -> Callable[..., object]:
        def asked(path: str | Path = ".", *more: object, **others: object) -> object:
            if Path(str(path)).is_relative_to(folder):
                raise PermissionError(13, "Permission denied", str(path))
            return call(path, *more, **others)

        return asked

    for name in ("stat", "lstat", "open", "listdir", "scandir"):
        monkeypatch.setattr(os, name, forbid(getattr(os, name)))
    monkeypatch.setattr("builtins.open", forbid(open))
    return folder


@pytest.mark.parametrize("spec", ["image:{}/a.jpg", "video:{}/a.mp4", "video:{}/a.gif", "slides:{}/pictures"])
def test_a_background_that_may_not_be_read_says_where_it_can_go(hidden: Path, spec: str) -> None:
    text = spec.format(hidden)
    with pytest.raises(MediaError, match="may not be read") as caught:
        build_scene(text, (0, 255, 0))
    path = text.partition(":")[2]
    assert f"sudo cp -r {path} /etc/vcam" in caught.value.hint
    assert f"/etc/vcam/{Path(path).name}" in caught.value.hint


@pytest.mark.parametrize("layer", ["image:{}/podium.png", "video:{}/fire.webm"])
def test_so_does_a_layer(hidden: Path, layer: str) -> None:
    with pytest.raises(MediaError, match="may not be read") as caught:
        build_layers([layer.format(hidden)])
    assert "/etc/vcam" in caught.value.hint
