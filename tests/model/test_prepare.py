import hashlib
import os
import shutil
from dataclasses import replace
from pathlib import Path

import onnx
import pytest

from tests.support.real_model import real_model
from vcam.errors import ConfigError, ModelError, ModelFetchError, ModelMismatchError
from vcam.frame import Size
from vcam.model import prepare as prepare_module
from vcam.model.fetch import import_file
from vcam.model.manifest import Manifest, ModelEntry, Refiner
from vcam.model.prepare import PrepareOptions, find, locate, prepare
from vcam.model.progress import Progress, Step
from vcam.model.status import Presence, status, verify
from vcam.model.store import Store
from vcam.model.verify import LIMITS, Limit
from vcam.rvm import core_shapes

SIZE = Size(64, 48)
NOWHERE = "http://127.0.0.1:9/net.onnx"


@pytest.fixture
def options(tmp_path: Path, networks: dict[str, Path]) -> PrepareOptions:
    return PrepareOptions(tmp_path / "models", SIZE, networks["deep"])


def entry_for(path: Path, name: str = "published") -> ModelEntry:
    data = path.read_bytes()
    return ModelEntry(
        name=name,
        file=f"{name}.onnx",
        title="",
        origin="",
        licence="",
        urls=(NOWHERE,),
        sha256=hashlib.sha256(data).hexdigest(),
        size_bytes=len(data),
        refiner=Refiner.DEEP,
        inputs=(),
        outputs=(),
    )


@pytest.mark.parametrize("precision", ["fp32", "fp16"])
def test_a_network_is_prepared_step_by_step(options: PrepareOptions, precision: str) -> None:
    steps: list[Progress] = []
    core = prepare(replace(options, precision=precision), steps.append)
    extra = {"fp32": [], "fp16": [Step.HALF]}[precision]
    wanted = [Step.READ, Step.CUT, Step.SPECIALISE, Step.SIMPLIFY, *extra, Step.VERIFY, Step.STORE]
    assert [each.step for each in steps] == wanted
    assert (core.name, core.size, core.precision) == ("like_deep", SIZE, precision)
    network = onnx.load(core.path)
    ends = (*network.graph.input, *network.graph.output)
    shapes = {each.name: tuple(dim.dim_value for dim in each.type.tensor_type.shape.dim) for each in ends}
    assert shapes == core_shapes(SIZE)


def test_the_second_time_nothing_is_made(options: PrepareOptions) -> None:
    first = prepare(options)
    written = first.path.stat().st_mtime_ns
    steps: list[Progress] = []
    assert prepare(options, steps.append) == first
    assert steps == []
    assert first.path.stat().st_mtime_ns == written


def test_what_is_prepared_needs_no_library(options: PrepareOptions, monkeypatch: pytest.MonkeyPatch) -> None:
    first = prepare(options)
    monkeypatch.setattr("vcam.model.onnx_file.LIBRARIES", ("no_such_library",))
    assert prepare(options) == first


def test_a_truncated_entry_is_made_again(options: PrepareOptions) -> None:
    core = prepare(options)
    whole = core.path.read_bytes()
    os.truncate(core.path, len(whole) // 2)
    again = prepare(options)
    assert again == core
    assert onnx.load(again.path).graph.node
    assert again.path.stat().st_size == len(whole)


def test_a_changed_source_is_another_entry(options: PrepareOptions, networks: dict[str, Path], tmp_path: Path) -> None:
    source = tmp_path / "mine.onnx"
    shutil.copyfile(networks["deep"], source)
    first = prepare(replace(options, model=source))
    shutil.copyfile(networks["fast"], source)
    second = prepare(replace(options, model=source))
    assert first.path != second.path


def test_the_report_says_how_far_the_core_is_off(options: PrepareOptions) -> None:
    prepare(options)
    (entry,) = Store(options.models_dir).entries()
    assert entry.report.refiner == "deep"
    assert entry.report.source == "like_deep.onnx"
    assert 0 <= entry.report.alpha_difference <= LIMITS["fp32"].largest
    assert entry.report.seconds > 0


def test_a_core_that_is_too_far_off_is_not_stored(options: PrepareOptions, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(prepare_module, "LIMITS", {"fp32": Limit(1e-12, 1e-12)})
    with pytest.raises(ModelMismatchError, match="differs from the original"):
        prepare(options)
    assert Store(options.models_dir).entries() == []


@pytest.mark.model
def test_the_real_network_is_prepared(tmp_path: Path) -> None:
    core = prepare(PrepareOptions(tmp_path, Size(160, 96), real_model()))
    (entry,) = Store(tmp_path).entries()
    assert entry.core == core
    assert entry.report.alpha_difference <= LIMITS["fp32"].largest
    assert entry.report.foreground_difference <= LIMITS["fp32"].largest


@pytest.mark.parametrize(
    ("change", "told"),
    [({"precision": "fp8"}, "fp8"), ({"size": Size(64, 16)}, "64x16"), ({"size": Size(0, 0)}, "0x0")],
)
def test_impossible_options_are_setting_errors(options: PrepareOptions, change: dict[str, str], told: str) -> None:
    with pytest.raises(ConfigError, match=told):
        prepare(replace(options, **change))  # type: ignore[arg-type]


def test_a_network_that_is_not_ours_is_refused(options: PrepareOptions, tmp_path: Path) -> None:
    tensor = onnx.helper.make_tensor_value_info
    node = onnx.helper.make_node("Relu", ["x"], ["y"])
    graph = onnx.helper.make_graph([node], "other", [tensor("x", 1, [1])], [tensor("y", 1, [1])])
    path = tmp_path / "other.onnx"
    onnx.save(onnx.helper.make_model(graph), path)
    with pytest.raises(ModelMismatchError, match="sought inputs src"):
        prepare(replace(options, model=path))


@pytest.mark.parametrize("model", ["no_such_name", Path("no/such/file.onnx"), "no/such/file.onnx"])
def test_a_model_that_is_not_there_is_named(options: PrepareOptions, model: str | Path) -> None:
    with pytest.raises(ModelError, match=str(model)):
        prepare(replace(options, model=model))


def test_a_published_file_is_known_by_its_content(networks: dict[str, Path], tmp_path: Path) -> None:
    manifest = Manifest((entry_for(networks["deep"]),))
    assert locate(networks["deep"], tmp_path, manifest=manifest).name == "published"
    assert locate(networks["fast"], tmp_path, manifest=manifest).name == "like_fast"


def test_without_network_an_imported_file_serves_its_name(options: PrepareOptions, networks: dict[str, Path]) -> None:
    manifest = Manifest((entry_for(networks["deep"]),))
    by_name = replace(options, model="published")
    with pytest.raises(ModelFetchError) as caught:
        prepare(by_name, manifest=manifest)
    assert "vcam model prepare --from FILE" in caught.value.hint
    import_file(networks["deep"], options.models_dir, manifest)
    assert prepare(by_name, manifest=manifest).name == "published"


def test_finding_fetches_and_makes_nothing(options: PrepareOptions, networks: dict[str, Path]) -> None:
    manifest = Manifest((entry_for(networks["deep"]),))
    by_name = replace(options, model="published")
    assert find(by_name, manifest=manifest) is None, "it is not even fetched"
    import_file(networks["deep"], options.models_dir, manifest)
    assert find(by_name, manifest=manifest) is None
    core = prepare(by_name, manifest=manifest)
    assert find(by_name, manifest=manifest) == core
    assert find(replace(by_name, precision="fp16"), manifest=manifest) is None
    with pytest.raises(ModelError, match="nowhere"):
        find(replace(options, model="nowhere.onnx"))


def test_status_tells_what_is_there(options: PrepareOptions, networks: dict[str, Path]) -> None:
    entry = entry_for(networks["deep"])
    manifest = Manifest((entry,))
    folder = options.models_dir

    def presence() -> tuple[Presence, int]:
        (published,) = status(folder, manifest).published
        return published.presence, published.size_bytes

    assert presence() == (Presence.ABSENT, 0)
    folder.mkdir()
    (folder / f"{entry.file}.part").write_bytes(b"abc")
    assert presence() == (Presence.PARTIAL, 3)
    (folder / entry.file).write_bytes(b"wrong")
    assert presence() == (Presence.DAMAGED, 5)
    import_file(networks["deep"], folder, manifest)
    assert presence() == (Presence.PRESENT, entry.size_bytes)

    assert status(folder, manifest).prepared == ()
    prepare(replace(options, model="published"), manifest=manifest)
    (prepared,) = status(folder, manifest).prepared
    assert prepared.intact
    assert prepared.recipe.size == SIZE


def test_verify_looks_again(options: PrepareOptions, networks: dict[str, Path]) -> None:
    core = prepare(options)
    (unseen,) = verify(options.models_dir)
    assert (unseen.problem, unseen.difference) == (None, None)
    (good,) = verify(options.models_dir, [networks["deep"]])
    assert good.problem is None
    assert good.difference is not None
    assert good.difference.largest <= LIMITS["fp32"].largest
    os.truncate(core.path, 1000)
    (bad,) = verify(options.models_dir, [networks["deep"]])
    assert bad.problem is not None
    assert "damaged" in bad.problem


def test_verify_reports_a_core_that_is_off(
    options: PrepareOptions, networks: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    prepare(options)
    monkeypatch.setattr(prepare_module, "LIMITS", {"fp32": Limit(1e-12, 1e-12)})
    (bad,) = verify(options.models_dir, [networks["deep"]])
    assert bad.problem is not None
    assert "differs" in bad.problem
