import json
from dataclasses import replace
from pathlib import Path

import pytest

from vcam.errors import ModelError
from vcam.frame import Size
from vcam.model import store as store_module
from vcam.model.store import Recipe, Report, Store
from vcam.whole_file import write_whole

RECIPE = Recipe("net", "ab" * 32, Size(64, 48), "fp32")
REPORT = Report("net.onnx", "deep", 1e-5, 2e-5, 1e-7, 0.5)
NETWORK = bytes(range(256)) * 40


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "models")


def test_what_was_put_is_found_again_with_its_report(store: Store) -> None:
    put = store.put(RECIPE, NETWORK, REPORT)
    assert Store(store.folder.parent).find(RECIPE) == put
    assert put.path.read_bytes() == NETWORK
    assert put.report == REPORT
    assert put.core.size == RECIPE.size
    assert (put.core.name, put.core.precision, put.core.path) == ("net", "fp32", put.path)


def test_an_empty_folder_has_nothing(store: Store) -> None:
    assert store.find(RECIPE) is None
    assert store.entries() == []


@pytest.mark.parametrize(
    "other",
    [
        replace(RECIPE, source_sha256="cd" * 32),
        replace(RECIPE, size=Size(48, 64)),
        replace(RECIPE, precision="fp16"),
    ],
)
def test_another_content_or_option_is_another_entry(store: Store, other: Recipe) -> None:
    store.put(RECIPE, NETWORK, REPORT)
    assert other.key != RECIPE.key
    assert store.find(other) is None


def test_a_new_version_of_preparation_makes_old_entries_void(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    store.put(RECIPE, NETWORK, REPORT)
    key = RECIPE.key
    monkeypatch.setattr(store_module, "PIPELINE_VERSION", store_module.PIPELINE_VERSION + 1)
    assert RECIPE.key != key
    assert store.find(RECIPE) is None
    assert store.entries() == []


@pytest.mark.parametrize("damage", ["truncate", "flip", "remove", "empty"])
def test_a_damaged_network_does_not_count(store: Store, damage: str) -> None:
    path = store.put(RECIPE, NETWORK, REPORT).path
    match damage:
        case "truncate":
            path.write_bytes(NETWORK[:-1])
        case "flip":
            path.write_bytes(NETWORK[:100] + b"\xff" + NETWORK[101:])
        case "remove":
            path.unlink()
        case "empty":
            path.write_bytes(b"")
    assert store.find(RECIPE) is None
    assert [entry.intact for entry in store.entries()] == [False]
    store.put(RECIPE, NETWORK, REPORT)
    assert store.find(RECIPE) is not None


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"pipeline_version": 1}', "null", "\xff\xfe"])
def test_a_damaged_sidecar_does_not_count(store: Store, text: str) -> None:
    path = store.put(RECIPE, NETWORK, REPORT).path.with_suffix(".json")
    path.write_bytes(text.encode("latin-1"))
    assert store.find(RECIPE) is None
    assert store.entries() == []


def test_the_sidecar_is_written_last(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    written = []

    def record(path: Path, data: bytes, mode: int) -> None:
        written.append(path.suffix)
        write_whole(path, data, mode)

    monkeypatch.setattr(store_module, "write_whole", record)
    entry = store.put(RECIPE, NETWORK, REPORT)
    assert written == [".onnx", ".json"]
    assert json.loads(entry.path.with_suffix(".json").read_text())["report"]["alpha_difference"] == 1e-5


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "models").write_text("a file stands in the way")
    with pytest.raises(ModelError, match="cannot be written to") as caught:
        Store(tmp_path / "models").put(RECIPE, NETWORK, REPORT)
    assert "folder" in caught.value.hint


def test_names_that_paths_should_not_hold_are_replaced(store: Store) -> None:
    entry = store.put(replace(RECIPE, name="../my net"), NETWORK, REPORT)
    assert entry.path.parent == store.folder
    assert store.find(replace(RECIPE, name="../my net")) is not None
