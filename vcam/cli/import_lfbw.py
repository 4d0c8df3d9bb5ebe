"""``vcam import-lfbw``: the config file of Linux-Fake-Background-Webcam as a vcam.toml."""

import json
from pathlib import Path

import typer
from rich.console import Console
from rich.table import Table

from vcam.cli.lfbw import translate
from vcam.cli.lfbw_file import Fate, Import, Told, read_lfbw
from vcam.cli.options import ImportOptions
from vcam.config import Config, load_config
from vcam.errors import ConfigError

_STYLES = {Fate.SAME: "green", Fate.BETTER: "cyan", Fate.DROPPED: "yellow"}


def import_lfbw(options: ImportOptions) -> None:
    """Print the settings, or write them to a new file, and tell what became of each option. Raises ConfigError."""
    found = read_lfbw(options.path)
    translate(found)
    text = toml_of(found, options.path)
    if options.out is None:
        typer.echo(text, nl=False)
    else:
        _write(options.out, text, force=options.force)
    errors = Console(stderr=True, highlight=False)
    errors.print(_table(found.told))
    if options.out is not None:
        errors.print(f"written to {options.out}: vcam run --config {options.out}", soft_wrap=True)


def toml_of(found: Import, path: Path) -> str:
    """The settings as vcam.toml has them, tried out. Raises ConfigError."""
    checked = load_config(None, assigned=found.values)
    order = [key for key in Config.model_fields if key in found.values]
    if not set(order) <= checked.model_fields_set:
        raise AssertionError("each value is a setting")
    lines = [f"{key} = {json.dumps(found.values[key], ensure_ascii=False)}" for key in order]
    return "\n".join([f"# From {path.name} of lfbw. Everything else keeps its default: see vcam.toml.", *lines, ""])


def _write(out: Path, text: str, *, force: bool) -> None:
    try:
        with out.open("w" if force else "x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError as error:
        raise ConfigError(f"{out} is there already", hint="name another --out, or replace it with --force") from error
    except OSError as error:
        raise ConfigError(f"{out} cannot be written: {error.strerror}", hint="name another --out") from error


def _table(told: list[Told]) -> Table:
    table = Table(title="Options of lfbw", title_justify="left")
    table.add_column("option", no_wrap=True)
    table.add_column("here", no_wrap=True)
    table.add_column("how")
    for each in told:
        table.add_row(each.option, f"[{_STYLES[each.fate]}]{each.fate}[/]", each.text)
    return table
