from pathlib import Path

import pytest

from vcam.errors import ConfigError, ModelError
from vcam.model.manifest import DEFAULT_MODEL, load_manifest
from vcam.rvm import ALPHA, DOWNSAMPLE_RATIO, FOREGROUND, SRC, STATES_IN, STATES_OUT

ENTRY = """
[[model]]
name = "tiny"
file = "tiny.onnx"
title = "t"
origin = "o"
licence = "MIT"
urls = ["https://example.org/tiny.onnx"]
sha256 = "{digest}"
size_bytes = 3
refiner = "deep"
inputs = ["src"]
outputs = ["pha"]
"""
GOOD = ENTRY.format(digest="0" * 64)


def write(folder: Path, text: str) -> Path:
    path = folder / "manifest.toml"
    path.write_text(text)
    return path


def test_the_shipped_manifest_names_the_published_network() -> None:
    entry = load_manifest().get(DEFAULT_MODEL)
    assert entry.sha256 == "88d4531297118f595bf2fd60f6f566aec2e559393802d1f436c380f0cbbd2828"
    assert entry.size_bytes == 14_975_696
    assert entry.urls[0].startswith("https://github.com/PeterL1n/RobustVideoMatting/releases/download/v1.0.0/")
    assert all(url.startswith("https://") for url in entry.urls)
    assert entry.licence.startswith("GPL-3.0")
    assert entry.inputs == (SRC, *STATES_IN, DOWNSAMPLE_RATIO)
    assert entry.outputs == (FOREGROUND, ALPHA, *STATES_OUT)


def test_entries_are_found_by_hash(tmp_path: Path) -> None:
    manifest = load_manifest(write(tmp_path, GOOD))
    assert manifest.by_sha256("0" * 64) is manifest.get("tiny")
    assert manifest.by_sha256("1" * 64) is None


def test_an_unknown_name_is_told_the_known_ones() -> None:
    with pytest.raises(ModelError, match=DEFAULT_MODEL):
        load_manifest().get("rvm_resnet")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("model = 3", "no \\[\\[model\\]\\]"),
        ("[[model", "cannot be read"),
        (GOOD.replace("size_bytes = 3", "size_bytes = 0"), "size_bytes"),
        (GOOD.replace("size_bytes = 3", 'size_bytes = "3"'), "size_bytes must be int"),
        (GOOD.replace('"tiny.onnx"', '"../tiny.onnx"'), "plain names"),
        (GOOD.replace("0" * 64, "0" * 63), "sha256"),
        (GOOD.replace('["https://example.org/tiny.onnx"]', '"x"'), "urls must be a list"),
        (GOOD.replace('["src"]', "[1]"), "inputs must be a list"),
        (GOOD.replace('"deep"', '"shallow"'), "shallow"),
        (GOOD + "colour = 1\n", "unknown keys colour"),
    ],
)
def test_a_broken_manifest_says_what_is_wrong(tmp_path: Path, text: str, told: str) -> None:
    with pytest.raises(ConfigError, match=told):
        load_manifest(write(tmp_path, text))


def test_a_missing_manifest_is_a_setting_error(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be read"):
        load_manifest(tmp_path / "none.toml")
