"""cuda-bindings imports without a driver, so every call of ours is held against its real signatures."""

import ast
import importlib
import inspect
from pathlib import Path
from types import ModuleType

import pytest

from vcam.cuda import errors, probe, pycuda_driver

SOURCE = Path(pycuda_driver.__file__).read_text()


@pytest.fixture(scope="module")
def bindings() -> ModuleType:
    return importlib.import_module("cuda.bindings.driver")


def calls(source: str) -> dict[str, int]:
    """Functions of cuda-bindings that are called by name, with how many arguments."""
    found = {}
    for node in ast.walk(ast.parse(source)):
        if (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Attribute)
            and node.func.attr in ("_cu", "_cu_free")
        ):
            name = node.args[0]
            assert isinstance(name, ast.Constant)
            found[str(name.value)] = len(node.args) - 1
    return found


def attributes(source: str) -> set[str]:
    """Dotted names below ``self._bindings``."""
    nodes = (node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Attribute))
    return {text.removeprefix("self._bindings.") for text in map(ast.unparse, nodes) if "self._bindings." in text}


def faults(source: str, bindings: ModuleType) -> list[str]:
    """What the source uses and the real module does not offer so."""
    found = []
    for name, count in calls(source).items():
        function = getattr(bindings, name, None)
        if function is None:
            found.append(f"there is no {name}")
        elif len(inspect.signature(function).parameters) != count:
            found.append(f"{name} takes {inspect.signature(function)}")
    for dotted in attributes(source):
        thing: object = bindings
        for part in dotted.split("."):
            thing = getattr(thing, part, None)
        if thing is None:
            found.append(f"there is no {dotted}")
    return found


def test_every_call_is_there(bindings: ModuleType) -> None:
    assert len(calls(SOURCE)) >= 12
    assert attributes(SOURCE) >= {"CUresult", "cuGetErrorString", "CUstreamCaptureMode"}
    assert faults(SOURCE, bindings) == []


@pytest.mark.parametrize(
    ("right", "wrong", "fault"),
    [
        ("cuGraphLaunch", "cuGraphStart", "there is no cuGraphStart"),
        ('"cuGraphInstantiate", graph, 0', '"cuGraphInstantiate", graph', "cuGraphInstantiate takes"),
        ("CAPTURE_MODE_THREAD_LOCAL", "CAPTURE_MODE_LOCAL", "there is no CUstreamCaptureMode"),
    ],
)
def test_the_check_finds_what_is_wrong(bindings: ModuleType, right: str, wrong: str, fault: str) -> None:
    assert right in SOURCE
    found = faults(SOURCE.replace(right, wrong), bindings)
    assert len(found) == 1
    assert fault in found[0]


def test_constants_are_those_of_cuda(bindings: ModuleType) -> None:
    driver = vars(pycuda_driver)
    assert driver["_STREAM_NON_BLOCKING"] == bindings.CUstream_flags.CU_STREAM_NON_BLOCKING
    assert driver["_EVENT_DEFAULT"] == bindings.CUevent_flags.CU_EVENT_DEFAULT
    assert driver["_EVENT_RECORD_EXTERNAL"] == bindings.CUevent_record_flags.CU_EVENT_RECORD_EXTERNAL
    major = bindings.CUdevice_attribute.CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR
    minor = bindings.CUdevice_attribute.CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR
    assert (vars(probe)["_COMPUTE_CAPABILITY_MAJOR"], vars(probe)["_COMPUTE_CAPABILITY_MINOR"]) == (major, minor)


def test_result_codes_are_those_of_cuda(bindings: ModuleType) -> None:
    names = {int(code): code.name for code in bindings.CUresult}
    assert {code: result.name for code, result in errors.RESULTS.items()} == {
        code: names[code] for code in errors.RESULTS
    }
