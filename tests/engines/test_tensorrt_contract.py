"""Everything that vcam uses of TensorRT, held against the real libraries: 10, 11 and RTX, each in a process of its own.

What is used is what vcam.engines.tensorrt_api and the TensorRtModule of vcam.engines.tensorrt_flavour write down, since
mypy lets the wrapper use nothing else. So nobody has to keep a list.
"""

import inspect
import json
import re
import subprocess
import sys
import typing
from collections.abc import Callable
from dataclasses import asdict, dataclass
from types import FunctionType, UnionType
from typing import Protocol

import pytest

from tests.support.tensorrt_wheels import ALL, RTX, TENSORRT_10, TENSORRT_11, Wheels, installed, preamble
from vcam.engines import tensorrt_api as api
from vcam.engines import tensorrt_library
from vcam.engines.tensorrt_flavour import TensorRtModule

RTX_ONLY = frozenset(
    {"ComputeCapability", "ComputeCapability.SM75", "IBuilderConfig.num_compute_capabilities"}
    | {"IBuilderConfig.set_compute_capability"}
)
PLACES = {"Severity": "ILogger.Severity"}
"""Where a class stands in the library, when not at its top."""

# pybind11's words for what Python calls otherwise.
SPOKEN = {int: "SupportsInt", str: "str", bool: "bool", bytes: "Buffer", None: "None", type(None): "None"}


@dataclass(frozen=True)
class Use:
    """One thing that vcam uses. kind: constant, class, read, write or call; parameters and result by type name."""

    path: str
    kind: str
    parameters: tuple[str, ...] = ()
    result: str = ""


def spoken(annotation: object) -> str:
    """A type of tensorrt_api as the library's docstrings call it; empty where they have many words for it."""
    if isinstance(annotation, UnionType):
        parts = [part for part in typing.get_args(annotation) if part is not type(None)]
        return spoken(parts[0])
    if annotation in SPOKEN:
        return SPOKEN[annotation]
    return annotation.__name__ if isinstance(annotation, type) and annotation.__module__ == api.__name__ else ""


def calls_of(path: str, function: Callable[..., object]) -> Use:
    hints = typing.get_type_hints(function)
    names = [name for name in inspect.signature(function).parameters if name != "self"]
    return Use(path, "call", tuple(spoken(hints[name]) for name in names), spoken(hints["return"]))


def uses_of(kind: type) -> list[Use]:
    """What is used of one class of tensorrt_api."""
    found = [Use(kind.__name__, "class")]
    for name, member in vars(kind).items():
        path = f"{kind.__name__}.{name}"
        if isinstance(member, property):
            found.append(Use(path, "read"))
        elif isinstance(member, FunctionType) and not name.startswith("_"):
            found.append(calls_of(path, member))
    for name, annotation in typing.get_type_hints(kind).items():
        is_constant = annotation is kind or annotation is api.Severity
        found.append(Use(f"{kind.__name__}.{name}", "constant" if is_constant else "write"))
    return found


def uses_of_module() -> list[Use]:
    found = []
    for name, annotation in typing.get_type_hints(TensorRtModule).items():
        if typing.get_origin(annotation) is type or annotation is str:
            found.append(Use(name, "class" if annotation is not str else "constant"))
        else:
            parameters, result = typing.get_args(annotation)
            found.append(Use(f"{result.__name__}.__init__", "call", tuple(map(spoken, parameters)), "None"))
    return found


def all_uses() -> list[Use]:
    classes = [each for each in vars(api).values() if isinstance(each, type) and each.__module__ == api.__name__]
    return [use for kind in classes for use in uses_of(kind)] + uses_of_module()


CHECKER = r'''
import inspect, json, re, sys

PARAMETER = re.compile(r"(\w+): (.*)")

def last_word(text):
    return re.split(r"\W", text.split("=")[0].strip())[-1]

def split(text):
    """At the commas that are not inside brackets."""
    parts, depth = [""], 0
    for letter in text:
        depth += (letter in "[(<") - (letter in "])>")
        if letter == "," and not depth:
            parts.append("")
        else:
            parts[-1] += letter
    return [part.strip() for part in parts if part.strip()]

def signatures(docstring, name):
    """(types of parameters, how many are needed, type of the result) of each overload."""
    for line in docstring.splitlines():
        found = re.match(rf"\s*(?:\d+\. )?{name}\((.*)\) -> (.*)$", line)
        if found and not found[1].startswith("*args"):
            parameters = [p for p in split(found[1]) if not p.startswith("self:")]
            needed = sum("=" not in p for p in parameters)
            yield [last_word(p) for p in parameters], needed, last_word(found[2])

def problem(use):
    *places, name = use["path"].split(".")
    holder = trt
    for place in places:
        holder = getattr(holder, place)
    if not hasattr(holder, name):
        return "there is no such name"
    member = inspect.getattr_static(holder, name)
    if use["kind"] in ("read", "write") and not isinstance(member, property):
        return "it is no property"
    if use["kind"] == "write" and member.fset is None:
        return "it cannot be written"
    if use["kind"] == "class" and not inspect.isclass(member):
        return "it is no class"
    return call_problem(use, getattr(holder, name).__doc__ or "", name) if use["kind"] == "call" else None

def call_problem(use, docstring, name):
    known = list(signatures(docstring, name))
    if not known:
        return "its docstring tells no signature"
    for types, needed, result in known:
        if needed <= len(use["parameters"]) <= len(types):
            pairs = [*zip(use["parameters"], types), (use["result"], result)]
            # Bindings that are made later than a function call its types by their names in C++: IParserError.
            if all(not wanted or found in (wanted, f"I{wanted}") for wanted, found in pairs):
                return None
    return f"it is called {use['parameters']} -> {use['result']}, but it takes {known}"

out = {}
for use in json.load(sys.stdin):
    try:
        told = problem(use)
    except AttributeError as error:
        told = f"there is no such name: {error}"
    if told:
        out[use["path"]] = told
print(json.dumps({"version": trt.__version__, "problems": out}))
'''


def check(wheels: Wheels, uses: list[Use]) -> tuple[str, dict[str, str]]:
    """The library's version, and what is wrong by path."""
    told = [asdict(use) for use in uses]
    for use in told:
        kind, _, rest = use["path"].partition(".")
        use["path"] = PLACES.get(kind, kind) + (f".{rest}" if rest else "")
    code = f"{preamble(wheels)}\n{CHECKER}"
    done = subprocess.run([sys.executable, "-c", code], input=json.dumps(told), capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    answer = json.loads(done.stdout)
    return answer["version"], answer["problems"]


@pytest.fixture(params=ALL, ids=lambda wheels: str(wheels.name))
def wheels(request: pytest.FixtureRequest) -> Wheels:
    found: Wheels = request.param
    installed(found)
    return found


def test_the_library_has_everything_that_vcam_uses(wheels: Wheels) -> None:
    uses = [use for use in all_uses() if wheels is RTX or use.path not in RTX_ONLY]
    version, problems = check(wheels, uses)
    assert problems == {}
    assert version.startswith(wheels.name.removeprefix("rtx-"))


WRAPPED = """
from vcam.engines.tensorrt_flavour import Flavour
from vcam.engines.tensorrt_library import Library
from vcam.errors import EngineError

class Told:
    def started(self, *arguments): print(*arguments)
    def stepped(self, *arguments): print(*arguments)
    def finished(self, *arguments): print(*arguments)

library = Library(Flavour.TENSORRT, lambda flavour: trt)
monitor = library.monitor(Told())
assert isinstance(monitor, trt.IProgressMonitor)
monitor.phase_start("phase", None, 3)
print(monitor.step_complete("phase", 0))
monitor.phase_finish("phase")
library._logger.log(trt.ILogger.WARNING, "a warning")
library._logger.log(trt.ILogger.ERROR, "an error")
print(library.error("fails", hint="").problem)
for call in (library.parse, library.deserialize):
    try:
        call(b"")
    except EngineError as error:
        print(error.problem)
"""


@pytest.mark.parametrize("stubbed", [TENSORRT_10, TENSORRT_11], ids=lambda wheels: str(wheels.name))
def test_the_wrapper_derives_its_classes_and_meets_a_library_without_gpu(stubbed: Wheels) -> None:
    code = f"{preamble(stubbed)}\n{WRAPPED}"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    name = f"tensorrt {stubbed.packages[0].partition('==')[2]}"
    assert done.stdout.splitlines() == [
        "phase None 3",
        "phase 0",
        "True",
        "phase",
        f"{name} fails: an error",
        f"{name} finds no GPU that it can use",
        f"{name} finds no GPU that it can use",
    ]


def test_only_rtx_has_what_only_rtx_has() -> None:
    _, problems = check(TENSORRT_11, [use for use in all_uses() if use.path in RTX_ONLY])
    assert problems.keys() == RTX_ONLY


def test_enough_is_used_to_be_worth_a_check() -> None:
    uses = all_uses()
    assert len(uses) > 60
    assert Use("IExecutionContext.set_tensor_address", "call", ("str", "SupportsInt"), "bool") in uses
    assert Use("Builder.__init__", "call", ("ILogger",), "None") in uses
    assert Use("Runtime.deserialize_cuda_engine", "call", ("Buffer",), "ICudaEngine") in uses
    assert Use("IBuilderConfig.progress_monitor", "write") in uses
    assert Use("DataType.HALF", "constant") in uses
    assert {use.path for use in uses} >= RTX_ONLY


def test_the_wrapper_reaches_the_library_only_by_what_is_checked() -> None:
    """What mypy relies on: the module is taken for a TensorRtModule once, and no type is lost after that."""
    source = inspect.getsource(tensorrt_library)
    assert not re.search(r"\bAny\b|\bgetattr\(|type: ignore|importlib", source)


@pytest.mark.parametrize(
    ("use", "told"),
    [
        (Use("Builder.create_net", "call", (), "INetworkDefinition"), "no such name"),
        (Use("IBuilder", "class"), "no such name"),
        (Use("BuilderFlag.NOT_THERE", "constant"), "no such name"),
        (Use("ICudaEngine.device_memory_size_v3", "read"), "no such name"),
        (Use("ICudaEngine.num_io_tensors", "write"), "cannot be written"),
        (Use("ICudaEngine.get_tensor_name", "read"), "no property"),
        (Use("DataType.HALF", "class"), "no class"),
        (Use("IExecutionContext.execute_async_v3", "call", (), "bool"), "it takes"),
        (
            Use("IExecutionContext.set_tensor_address", "call", ("str", "SupportsInt", "SupportsInt"), "bool"),
            "it takes",
        ),
        (Use("IExecutionContext.set_tensor_address", "call", ("SupportsInt", "str"), "bool"), "it takes"),
        (Use("IExecutionContext.set_tensor_address", "call", ("str", "SupportsInt"), "None"), "it takes"),
        (Use("OnnxParser.__init__", "call", ("ILogger", "INetworkDefinition"), "None"), "it takes"),
    ],
)
def test_the_check_can_fail(wheels: Wheels, use: Use, told: str) -> None:
    _, problems = check(wheels, [use])
    assert told in problems[use.path]


@pytest.mark.parametrize("name", ["BuilderFlag.FP16", "ICudaEngine.device_memory_size", "OnnxParser.supports_model"])
def test_the_check_knows_what_11_took_away(name: str) -> None:
    kind = "constant" if "Flag" in name else "read"
    _, problems = check(TENSORRT_11, [Use(name, kind)])
    assert "no such name" in problems[name]


class Made(Protocol):
    """To see how uses are found."""

    written: int

    @property
    def told(self) -> str: ...

    def called(self, first: int, second: bool) -> str: ...


def test_uses_are_found_by_kind() -> None:
    assert uses_of(Made) == [
        Use("Made", "class"),
        Use("Made.told", "read"),
        Use("Made.called", "call", ("SupportsInt", "bool"), "str"),
        Use("Made.written", "write"),
    ]
