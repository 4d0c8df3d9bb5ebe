from pathlib import Path

import onnx
import pytest

from vcam.errors import MissingDependencyError, ModelError
from vcam.installing import how_to_add
from vcam.model import onnx_file
from vcam.model.onnx_file import check_file, read_model, require_libraries, sha256_of


def test_a_network_is_read(networks: dict[str, Path]) -> None:
    assert len(read_model(networks["fast"]).graph.node) > 50


def test_the_hash_is_that_of_sha256sum(tmp_path: Path) -> None:
    path = tmp_path / "abc"
    path.write_bytes(b"abc")
    assert sha256_of(path) == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9, 0.9999])
def test_a_truncated_network_is_refused(tmp_path: Path, networks: dict[str, Path], share: float) -> None:
    data = networks["deep"].read_bytes()
    path = tmp_path / "cut.onnx"
    path.write_bytes(data[: int(len(data) * share)])
    with pytest.raises(ModelError, match=r"truncated|complete"):
        read_model(path)


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"", "is empty"),
        (b"<!DOCTYPE html><html>Not found</html>", "not an ONNX file"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:00\n", "Git LFS pointer"),
        (bytes(1000), "not an? "),
    ],
)
def test_other_files_are_refused_by_what_they_are(tmp_path: Path, content: bytes, told: str) -> None:
    path = tmp_path / "other.onnx"
    path.write_bytes(content)
    with pytest.raises(ModelError, match=told) as caught:
        read_model(path)
    assert "vcam model prepare" in caught.value.hint


def test_a_network_without_nodes_is_refused(tmp_path: Path) -> None:
    graph = onnx.helper.make_graph([], "nothing", [], [])
    path = tmp_path / "nothing.onnx"
    onnx.save(onnx.helper.make_model(graph), path)
    with pytest.raises(ModelError, match="no nodes"):
        read_model(path)


def test_a_directory_and_a_missing_file_are_told_apart(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="is a directory"):
        check_file(tmp_path)
    with pytest.raises(ModelError, match="does not exist"):
        check_file(tmp_path / "none.onnx")


def test_a_missing_library_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    require_libraries()
    monkeypatch.setattr(onnx_file, "LIBRARIES", ("no_such_library",))
    with pytest.raises(MissingDependencyError, match="no_such_library") as caught:
        require_libraries()
    assert caught.value.hint == how_to_add("model")
