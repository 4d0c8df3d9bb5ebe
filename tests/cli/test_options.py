"""The options are Config's keys, with its choices and its defaults, and the short names users know."""

import re
from dataclasses import dataclass, fields
from enum import EnumType
from typing import Annotated, get_args, get_type_hints

import pytest
import typer
from typer.testing import CliRunner

from vcam.cli.options import Opt, PrepareCommandOptions, RunOptions, assigned, takes, typed
from vcam.config import Config
from vcam.errors import ConfigError
from vcam.scene_settings import SCENE_KEYS

HINTS = get_type_hints(RunOptions, include_extras=True)
OPTIONS = {name: (get_args(hint)[0], get_args(hint)[1]) for name, hint in HINTS.items()}
NO_SETTING = {"config", "set", "force"}

CONTRACT = {
    "input": "-i",
    "output": "-o",
    "width": "-W",
    "height": "-H",
    "fps": "-F",
    "background": "-b",
    "color": "-c",
    "model": "-m",
    "engine": "-e",
    "quality": "-q",
    "downsample": "-d",
}
"""Letters that scripts of users depend on."""


def shown(value: object) -> str:
    """A default as the help writes it."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "" if value in (None, ()) else str(value[0] if isinstance(value, tuple) else value)


def choices(kind: object) -> set[str]:
    """Of a StrEnum, or of a Literal."""
    return set(map(str, kind if isinstance(kind, EnumType) else get_args(kind)))


def test_each_key_of_the_settings_is_an_option() -> None:
    assert set(OPTIONS) - NO_SETTING <= set(Config.model_fields)
    assert set(Config.model_fields) - set(OPTIONS) <= set(SCENE_KEYS), "which --set reaches"


def test_the_defaults_shown_are_those_of_the_settings() -> None:
    told = {name: option.default for name, (_, option) in OPTIONS.items() if name not in NO_SETTING | {"models_dir"}}
    assert told == {name: shown(getattr(Config(), name)) for name in told}


def test_the_choices_are_those_of_the_settings() -> None:
    for name in ("engine", "quality", "while_building", "pace", "log_level", "log_format"):
        named = set(re.findall(r"[a-z-]+", OPTIONS[name][1].text))
        assert choices(Config.model_fields[name].annotation) - named <= {"info", "warning"}, name


def test_the_letters_are_the_contract() -> None:
    assert {name: option.short for name, (_, option) in OPTIONS.items() if option.short} == CONTRACT


def test_nothing_typed_sets_nothing() -> None:
    assert typed(RunOptions()) == {}
    assert typed(RunOptions(width=64, output=["null:"], fp16=False)) == {
        "width": 64,
        "output": ["null:"],
        "fp16": False,
    }


def test_any_setting_can_be_assigned() -> None:
    assert assigned(None) == {}
    assert assigned(["refine=0.5", " auto-frame = yes", "background=color:#102030", "layers="]) == {
        "refine": "0.5",
        "auto-frame": "yes",
        "background": "color:#102030",
        "layers": "",
    }
    for wrong in ("refine", "=1", ""):
        with pytest.raises(ConfigError, match="sets nothing"):
            assigned([wrong])


def test_options_of_other_commands_mean_the_same() -> None:
    prepare = get_type_hints(PrepareCommandOptions, include_extras=True)
    shared = {field.name for field in fields(PrepareCommandOptions)} & set(HINTS)
    assert {"engine", "quality", "width", "fp16", "model", "config"} <= shared
    assert {name: prepare[name] for name in shared} == {name: HINTS[name] for name in shared}


def test_a_dataclass_becomes_a_command() -> None:
    @dataclass(frozen=True)
    class Some:
        first_one: Annotated[int | None, Opt("Panel", "The first.", "-f", "7", "N")] = None
        flag: Annotated[bool | None, Opt("Panel", "The flag.")] = None
        what: Annotated[str, typer.Argument()] = "x"

    got: list[Some] = []
    app = typer.Typer()
    app.command()(takes(Some)(got.append))
    runner = CliRunner()
    for arguments in ([], ["--first-one", "3", "--no-flag", "y"], ["-f4", "--flag"]):
        assert runner.invoke(app, arguments).exit_code == 0
    assert got == [Some(), Some(3, False, "y"), Some(4, True)]
    text = runner.invoke(app, ["--help"]).output
    assert "The first. [7]" in text
    assert "Panel" in text
