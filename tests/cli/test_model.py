"""``vcam model`` on a small network of the right shape: import, prepare, status, verify."""

import re
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

import onnx
import pytest

from tests.support.rvm_like import make_rvm_like
from vcam.cli.model import check, prepare, show_status
from vcam.cli.options import ModelFolderOptions, PrepareCommandOptions
from vcam.cuda.probe import find_gpu
from vcam.engine_names import EngineName
from vcam.engines.select import Choice
from vcam.engines.tensorrt_flavour import Flavour
from vcam.errors import ConfigError, EngineUnavailableError, ModelError

needs_rtx = pytest.mark.skipif(
    find_spec("tensorrt_rtx") is None, reason="TensorRT-RTX has wheels for Python 3.11 and 3.12 only"
)

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
    options = PrepareCommandOptions(
        from_file=network, models_dir=folder, downsample=0.1, width=640, height=360, engine=EngineName.ONNXRUNTIME
    )
    prepare(options)
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
    again = PrepareCommandOptions(
        model=str(network), models_dir=folder, downsample=0.1, width=640, height=360, engine=EngineName.ONNXRUNTIME
    )
    prepare(again)
    assert prepared.stat().st_mtime_ns == before
    assert "ready: mine at 64x36" in capsys.readouterr().out


def for_rtx(folder: Path, network: Path, *, fp16: bool | None = None, plan_dir: Path | None = None) -> None:
    options = PrepareCommandOptions(
        model=str(network),
        models_dir=folder,
        downsample=0.1,
        width=640,
        height=360,
        engine=EngineName.TENSORRT_RTX,
        fp16=fp16,
        plan_dir=plan_dir,
    )
    prepare(options)


@needs_rtx
def test_an_nvidia_engine_gets_its_plan_in_half_precision(folder: Path, network: Path, capsys: Output) -> None:
    for_rtx(folder, network)
    text = capsys.readouterr().out
    assert "ready: mine at 64x36 in fp16" in text
    (plan,) = (folder / "plans").glob("*.plan")
    assert plan.name.startswith("mine-64x36-fp16-tensorrt-rtx-")
    assert text.endswith(f"{plan}\n")
    assert re.search(r"plan of tensorrt-rtx 1\.[0-9.]+ for any ", text)
    show_status(ModelFolderOptions(models_dir=folder))
    text = capsys.readouterr().out
    assert f"plans are kept in {plan.parent}\n{plan.name}: ready (any " in text


@needs_rtx
def test_full_precision_and_another_folder_when_asked(folder: Path, network: Path, tmp_path: Path) -> None:
    for_rtx(folder, network, fp16=False, plan_dir=tmp_path / "elsewhere")
    (plan,) = (tmp_path / "elsewhere").glob("*.plan")
    assert plan.name.startswith("mine-64x36-fp32-tensorrt-rtx-")
    assert not (folder / "plans").exists()


@needs_rtx
def test_status_names_a_stale_plan_and_a_damaged_one(folder: Path, network: Path, capsys: Output) -> None:
    for_rtx(folder, network)
    for_rtx(folder, network, fp16=False)
    half, single = sorted((folder / "plans").glob("*.plan"), key=lambda path: "fp32" in path.name)
    single.write_bytes(single.read_bytes()[:-10])
    (prepared,) = (folder / "prepared").glob("*fp16*.onnx")
    for path in (prepared, prepared.with_suffix(".json")):
        path.unlink()
    capsys.readouterr()
    show_status(ModelFolderOptions(models_dir=folder))
    text = capsys.readouterr().out
    assert f"{half.name}: stale: no such network is prepared any more (any " in text
    assert f"{single.name}: damaged: it holds " in text


@pytest.mark.skipif(find_gpu().facts is not None, reason="there is a GPU")
def test_tensorrt_wants_its_gpu_and_leaves_the_network_prepared(folder: Path, network: Path, capsys: Output) -> None:
    wanted = PrepareCommandOptions(
        model=str(network), models_dir=folder, downsample=0.1, width=640, height=360, engine=EngineName.TENSORRT
    )
    with pytest.raises(EngineUnavailableError, match=r"tensorrt is not installed|GPU that is to run it"):
        prepare(wanted)
    assert "ready: mine at 64x36 in fp16" in capsys.readouterr().out


def test_auto_prepares_for_the_engine_that_it_means_here(
    folder: Path, network: Path, capsys: Output, monkeypatch: pytest.MonkeyPatch
) -> None:
    built = []
    rtx = Choice(EngineName.TENSORRT_RTX, "")
    monkeypatch.setattr("vcam.cli.model.choose", lambda available: rtx)
    monkeypatch.setattr("vcam.cli.model._build_plan", lambda config, core, flavour, console: built.append(flavour))
    wanted = PrepareCommandOptions(model=str(network), models_dir=folder, downsample=0.1, width=640, height=360)
    prepare(wanted)
    assert built == [Flavour.RTX]
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


@pytest.mark.parametrize("command", [show_status, check])
def test_a_file_is_no_folder_of_networks(tmp_path: Path, command: Callable[[ModelFolderOptions], None]) -> None:
    (tmp_path / "text.png").write_text("text")
    with pytest.raises(ConfigError, match=r"text\.png is no folder") as caught:
        command(ModelFolderOptions(models_dir=tmp_path / "text.png"))
    assert "models_dir" in caught.value.hint


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
