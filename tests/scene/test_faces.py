"""Name plates in scripts that vcam's own font does not have: this computer's fonts do, or the package is named."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import matplotlib
import numpy as np
import pytest
from PIL import features

from vcam.errors import MediaError
from vcam.frame import Size
from vcam.scene import faces
from vcam.scene.faces import faces_for
from vcam.scene.layer_plate import draw_plate
from vcam.scene.layers import build_layers

DEJAVU = Path(matplotlib.get_data_path()) / "fonts" / "ttf"
ARMENIAN = "Արամ"


@pytest.fixture(autouse=True)
def computer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Has no fonts."""
    folder = tmp_path / "fonts"
    monkeypatch.setattr(faces, "FOLDERS", (tmp_path / "none", folder))
    faces._found.cache_clear()
    yield folder
    faces._found.cache_clear()


def install(folder: Path, *names: str) -> None:
    (folder / "truetype").mkdir(parents=True, exist_ok=True)
    for name in names:
        shutil.copy(DEJAVU / name, folder / "truetype")


def test_our_own_font_is_the_first_choice(computer: Path) -> None:
    install(computer, "DejaVuSans.ttf")
    assert [path.name for path in faces_for(("Ada", "Ведущий"), None)] == ["Inter-SemiBold.otf", "Inter-Regular.otf"]


def test_fonts_of_the_computer_stand_in_for_it(computer: Path) -> None:
    install(
        computer, "DejaVuSans.ttf", "DejaVuSans-Bold.ttf", "DejaVuSansMono.ttf", "DejaVuSans-Oblique.ttf", "cmr10.ttf"
    )
    (computer / "broken.ttf").write_bytes(b"no font")
    found = faces_for((ARMENIAN, f"{ARMENIAN} 2", "Ada"), None)
    assert [path.name for path in found] == ["DejaVuSans-Bold.ttf", "DejaVuSans.ttf", "Inter-Regular.otf"]
    other, _ = draw_plate((ARMENIAN,), found[:1], Size(1280, 720), None)
    boxes, _ = draw_plate((ARMENIAN,), faces_for(("Ada",), None), Size(1280, 720), None)
    assert np.asarray(other).shape != np.asarray(boxes).shape or (np.asarray(other) != np.asarray(boxes)).any()


def test_a_font_that_was_installed_after_the_error_is_found(computer: Path) -> None:
    with pytest.raises(MediaError):
        build_layers([f"text:{ARMENIAN}"])
    install(computer, "DejaVuSansMono.ttf")
    build_layers([f"text:{ARMENIAN}"])


@pytest.mark.parametrize(
    ("text", "package"),
    [
        ("日本", "fonts-noto-cjk"),
        ("ひらがな", "fonts-noto-cjk"),
        ("김철수", "fonts-noto-cjk"),
        ("Ada 李", "fonts-noto-cjk"),
        ("देव", "fonts-noto-core"),
        (ARMENIAN, "fonts-noto-core"),
        ("Ada 🙂", "fonts-symbola"),
    ],
)
def test_the_package_that_has_the_letters_is_named(computer: Path, text: str, package: str) -> None:
    install(computer, "cmr10.ttf")
    with pytest.raises(MediaError, match="no font here has all letters") as caught:
        build_layers([f"text:{text}"])
    assert f"apt-get install {package}," in caught.value.hint
    assert "font=PATH" in caught.value.hint


def test_a_font_that_was_named_is_not_replaced(computer: Path) -> None:
    install(computer, "DejaVuSans.ttf")
    with pytest.raises(MediaError, match=r"cmr10\.ttf has no letter for") as caught:
        build_layers([f"text:{ARMENIAN},font={DEJAVU / 'cmr10.ttf'}"])
    assert "another font" in caught.value.hint


def test_letters_from_the_right_are_put_in_order_or_refused(computer: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    install(computer, "DejaVuSans.ttf")
    monkeypatch.setattr(features, "check", lambda name: name != "fribidi")
    with pytest.raises(MediaError, match="fribidi"):
        build_layers(["text:شكرا"])
    build_layers([f"text:{ARMENIAN}"])
    monkeypatch.setattr(features, "check", lambda name: True)
    build_layers(["text:شكرا"])
