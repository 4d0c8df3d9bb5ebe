"""``vcam model`` on a small network of the right shape: import, prepare, status, verify."""

from pathlib import Path

import onnx
import pytest

from tests.support.rvm_like import make_rvm_like
from vcam.cli.model import check, prepare, show_status
from vcam.cli.options import ModelFolderOptions, PrepareCommandOptions
from vcam.errors import ModelError

Output = pytest.CaptureFixture[str]


@pytest.fixture(scope="module")
def network(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An uncut network on disk. Read only."""
    path = tmp_path_factory.mktemp("network") / "mine.onnx"
    onnx.save(make_rvm_like("deep"), path)
    return path


@pytest.fixture
def folder(tmp_path: Path, network: Path, capsys: Output) -> Path:
    """A models folder with the network imported and prepared for 64x36."""
    folder = tmp_path / "models"
    prepare(PrepareCommandOptions(from_file=network, models_dir=folder, downsample=0.1, width=640, height=360))
    return folder


def test_prepare_imports_and_tells_what_is_ready(folder: Path, capsys: Output) -> None:
    text = capsys.readouterr().out
    assert "ready: mine at 64x36 in fp32" in text
    (prepared,) = (folder / "prepared").glob("*.onnx")
    assert str(prepared) in text
    assert (folder / "mine.onnx").is_file()


def test_a_second_time_it_is_there_already(folder: Path, network: Path, capsys: Output) -> None:
    (prepared,) = (folder / "prepared").glob("*.onnx")
    before = prepared.stat().st_mtime_ns
    prepare(PrepareCommandOptions(model=str(network), models_dir=folder, downsample=0.1, width=640, height=360))
    assert prepared.stat().st_mtime_ns == before
    assert "ready: mine at 64x36" in capsys.readouterr().out


def test_an_nvidia_engine_gets_half_precision_unless_refused(folder: Path, network: Path, capsys: Output) -> None:
    wanted = PrepareCommandOptions(
        model=str(network), models_dir=folder, downsample=0.1, width=640, height=360, engine="tensorrt"
    )
    prepare(wanted)
    assert "in fp16" in capsys.readouterr().out


def test_status_tells_what_is_here(folder: Path, capsys: Output) -> None:
    capsys.readouterr()
    show_status(ModelFolderOptions(models_dir=folder))
    text = " ".join(capsys.readouterr().out.split())
    assert str(folder) in text
    assert "rvm_mobilenetv3_fp32" in text
    assert "absent" in text
    assert "│ mine │ 64x36 │ fp32 │" in text
    assert "whole" in text


def test_status_of_nothing_says_how_to_begin(tmp_path: Path, capsys: Output) -> None:
    show_status(ModelFolderOptions(models_dir=tmp_path / "empty"))
    assert "vcam model prepare" in capsys.readouterr().out


def test_verify_measures_again(folder: Path, capsys: Output) -> None:
    check(ModelFolderOptions(models_dir=folder))
    assert "good: alpha differs from the original by at most" in capsys.readouterr().out


def test_verify_refuses_a_damaged_network(folder: Path) -> None:
    (prepared,) = (folder / "prepared").glob("*.onnx")
    prepared.write_bytes(prepared.read_bytes()[:-1])
    with pytest.raises(ModelError, match=f"not usable: {prepared.name}") as caught:
        check(ModelFolderOptions(models_dir=folder))
    assert "vcam model prepare" in caught.value.hint


def test_a_file_that_is_no_network_is_not_imported(tmp_path: Path) -> None:
    words = tmp_path / "words.onnx"
    words.write_text("these are words\n" * 50)
    folder = tmp_path / "models"
    with pytest.raises(ModelError, match=r"words\.onnx"):
        prepare(PrepareCommandOptions(from_file=words, models_dir=folder))
    assert not (folder / words.name).exists()
