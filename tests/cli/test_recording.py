"""What was recorded before, and what is read, is not written over."""

from pathlib import Path

import pytest

from vcam.cli.recording import check_outputs
from vcam.config import Config
from vcam.errors import ConfigError


def config(*output: str, source: str = "test:") -> Config:
    return Config(input=source, output=output)


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "in.mp4").write_text("a film")
    (tmp_path / "link.mp4").symlink_to("in.mp4")
    (tmp_path / "again").symlink_to(".")
    return tmp_path


@pytest.mark.parametrize("force", [False, True])
@pytest.mark.parametrize("output", ["in.mp4", "./in.mp4", "link.mp4", "again/in.mp4", "in.mp4,size=64x48"])
def test_the_file_that_is_read_is_never_an_output(output: str, force: bool) -> None:
    with pytest.raises(ConfigError, match="is the input") as caught:
        check_outputs(config(f"file:{output}", source="file:in.mp4"), force=force)
    assert "another --output" in caught.value.hint


def test_nor_is_the_one_that_it_has_while_it_is_written() -> None:
    with pytest.raises(ConfigError, match="is the input"):
        check_outputs(config("file:a.mp4", source="file:a.part.mp4"), force=True)


@pytest.mark.parametrize(
    "outputs",
    [
        ("file:new.mp4", "file:new.mp4"),
        ("file:new.mp4", "null:", "file:again/new.mp4,size=64x48"),
        ("file:new.mp4", "file:new.part.mp4"),
        ("/dev/video10", "/dev/video10,size=640x360"),
    ],
)
def test_two_outputs_are_two(outputs: tuple[str, ...]) -> None:
    with pytest.raises(ConfigError, match="twice"):
        check_outputs(config(*outputs), force=True)


def test_a_file_that_is_there_stays_unless_that_was_said(folder: Path) -> None:
    old = folder / "old.mp4"
    check_outputs(config(f"file:{old}"), force=False)
    old.write_text("a film")
    with pytest.raises(ConfigError, match=r"old\.mp4 is there already") as caught:
        check_outputs(config("null:", f"file:{old}"), force=False)
    assert "--force" in caught.value.hint
    check_outputs(config(f"file:{old}"), force=True)


def test_what_was_left_unfinished_stays_too(folder: Path) -> None:
    (folder / "old.part.mp4").write_text("half a film")
    with pytest.raises(ConfigError, match=r"old\.part\.mp4 is there already"):
        check_outputs(config("file:old.mp4"), force=False)


def test_files_beside_each_other_and_devices_are_no_matter() -> None:
    outputs = "file:a.mp4", "file:b.mp4", "null:", "null:", "/dev/video10"
    check_outputs(config(*outputs, source="file:in.mp4"), force=False)
    check_outputs(config("/dev/null", source="/dev/video0"), force=False)
