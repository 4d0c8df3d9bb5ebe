"""What vcam calls in nvJPEG is there, and is what NVIDIA's header says. No GPU is needed for any of this."""

import ctypes
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from vcam.decode import nvjpeg_library
from vcam.decode.nvjpeg_library import (
    BITSTREAM_STRICT,
    COMPONENTS,
    MEANINGS,
    OUTPUT_YUV,
    SIGNATURES,
    Backend,
    Destination,
    NvJpegError,
    Status,
    Subsampling,
    find_nvjpeg,
    load_nvjpeg,
    version,
)
from vcam.errors import MissingDependencyError
from vcam.installing import how_to_add

KINDS: dict[type, str] = {ctypes.c_int: "i", ctypes.c_uint: "u", ctypes.c_size_t: "z", ctypes.c_void_p: "p"}

STUBS = {
    "cuda_runtime_api.h": "typedef struct CUstream_st* cudaStream_t;",
    "library_types.h": "enum libraryPropertyType { MAJOR_VERSION, MINOR_VERSION, PATCH_LEVEL };",
}
"""What nvjpeg.h needs of the CUDA toolkit, which need not be installed."""

PROLOGUE = """
#include <cstddef>
#include <nvjpeg.h>
#include <type_traits>
template <class T> constexpr char kind() {
    if (std::is_pointer_v<T>) return 'p';
    if (std::is_enum_v<T> || std::is_same_v<T, int>) return sizeof(T) == sizeof(int) ? 'i' : '?';
    return std::is_same_v<T, size_t> ? 'z' : std::is_same_v<T, unsigned> ? 'u' : '?';
}
template <class... A> constexpr bool takes(nvjpegStatus_t (*)(A...), const char* wanted) {
    const char found[] = {kind<A>()..., 0};
    int i = 0;
    for (; found[i] && found[i] == wanted[i]; ++i) {}
    return found[i] == wanted[i];
}
"""


def wheel_header() -> Path:
    """nvjpeg.h beside the library; the test is skipped where NVIDIA's package is not installed."""
    try:
        header = Path(find_nvjpeg()).parents[1] / "include" / "nvjpeg.h"
    except MissingDependencyError:
        pytest.skip("nvidia-nvjpeg is not installed")
    if not header.is_file():
        pytest.skip(f"no header at {header}")
    return header


def untrue(folder: Path, claims: list[str]) -> list[str]:
    """Those claims that the C++ compiler finds not to be true of the header."""
    compiler = shutil.which("c++") or shutil.which("g++")
    if compiler is None:
        pytest.skip("no C++ compiler")
    header = wheel_header()
    for name, text in STUBS.items():
        (folder / name).write_text(text)
    source = folder / "claims.cpp"
    source.write_text(PROLOGUE + "".join(f"static_assert({claim});\n" for claim in claims))
    command = [compiler, "-std=c++17", "-fsyntax-only", "-w", f"-I{folder}", f"-I{header.parent}", str(source)]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    wrong = [claim for claim in claims if f"static_assert({claim});" in result.stderr]
    assert result.stderr.count("error:") == len(wrong), result.stderr
    return wrong


def kinds(name: str) -> str:
    return "".join(KINDS.get(each, "p") for each in SIGNATURES[name])


def all_claims() -> list[str]:
    enums = [("STATUS", each.name, each.value) for each in Status]
    enums += [("CSS", {"GREY": "GRAY"}.get(each.name, each.name.removeprefix("S")), each.value) for each in Subsampling]
    enums += [("BACKEND", each.name, each.value) for each in Backend]
    enums += [("OUTPUT", "YUV", OUTPUT_YUV)]
    return [
        *(f"NVJPEG_{prefix}_{name} == {value}" for prefix, name, value in enums),
        f"(NVJPEG_FLAGS_BITSTREAM_STRICT) == {BITSTREAM_STRICT}",
        f"NVJPEG_MAX_COMPONENT == {COMPONENTS}",
        f"sizeof(nvjpegImage_t) == {ctypes.sizeof(Destination)}",
        f"offsetof(nvjpegImage_t, pitch) == {Destination.pitch.offset}",
        *(f'takes(&{name}, "{kinds(name)}")' for name in SIGNATURES),
    ]


def test_every_value_and_signature_is_the_headers(tmp_path: Path) -> None:
    assert untrue(tmp_path, all_claims()) == []


@pytest.mark.parametrize(
    "claim",
    [
        "NVJPEG_STATUS_BAD_JPEG == 4",
        "NVJPEG_CSS_422 == 2",
        "sizeof(nvjpegImage_t) == 48",
        'takes(&nvjpegDecode, "ppziipp")',
        'takes(&nvjpegDecode, "pppzip")',
        'takes(&nvjpegDestroy, "pp")',
    ],
)
def test_a_wrong_claim_is_found_out(tmp_path: Path, claim: str) -> None:
    assert untrue(tmp_path, [claim]) == [claim]


def test_the_library_has_every_function_and_says_its_version() -> None:
    wheel_header()
    functions = load_nvjpeg()
    assert set(functions) == set(SIGNATURES)
    assert int(version(functions).split(".")[0]) >= 12


def test_a_function_that_is_not_there_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    wheel_header()
    monkeypatch.setattr(nvjpeg_library, "SIGNATURES", {**SIGNATURES, "nvjpegDecodeByMagic": ()})
    with pytest.raises(MissingDependencyError, match="nvjpegDecodeByMagic"):
        load_nvjpeg()


def test_without_a_gpu_the_real_library_refuses_to_start() -> None:
    """In a process of its own: CUDA looks at the environment once."""
    wheel_header()
    code = """
from vcam.decode.nvjpeg_library import NvJpeg, NvJpegError, load_nvjpeg
try:
    NvJpeg(load_nvjpeg())
except NvJpegError as error:
    print(error)
"""
    environment = {**os.environ, "CUDA_VISIBLE_DEVICES": ""}
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=environment)
    assert "nvjpegCreateEx: NVJPEG_STATUS_" in out.stdout


def test_the_system_library_is_the_second_choice(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(nvjpeg_library, "_PACKAGES", ("no-such-package",))
    monkeypatch.setattr("ctypes.util.find_library", lambda name: f"lib{name}.so.12")
    assert find_nvjpeg() == "libnvjpeg.so.12"
    monkeypatch.setattr("ctypes.util.find_library", lambda name: None)
    with pytest.raises(MissingDependencyError) as caught:
        find_nvjpeg()
    assert how_to_add("nvjpeg") in caught.value.hint


@pytest.mark.parametrize("library", ["libc.so.6", "libnowhere.so.9"])
def test_another_library_is_refused(monkeypatch: pytest.MonkeyPatch, library: str) -> None:
    monkeypatch.setattr(nvjpeg_library, "find_nvjpeg", lambda: library)
    with pytest.raises(MissingDependencyError, match=library) as caught:
        load_nvjpeg()
    assert how_to_add("nvjpeg") in caught.value.hint


def test_every_status_has_a_name_and_a_meaning() -> None:
    assert set(MEANINGS) == set(Status)
    texts = [str(NvJpegError("nvjpegDecode", code)) for code in Status]
    assert all("NVJPEG_STATUS_" in text for text in texts)
    assert len(set(texts)) == len(texts)
    of_the_frame = {Status(code) for code in Status if NvJpegError("nvjpegDecode", code).of_the_frame}
    assert of_the_frame == {Status.BAD_JPEG, Status.JPEG_NOT_SUPPORTED, Status.INCOMPLETE_BITSTREAM}
    unknown = NvJpegError("nvjpegDecode", 99)
    assert "99" in str(unknown)
    assert not unknown.of_the_frame
