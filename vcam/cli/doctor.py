"""``vcam doctor``: what stands in the way of a working camera, and what to paste."""

import json
import os
from collections.abc import Sequence
from types import MappingProxyType

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from vcam import __version__
from vcam.cli.options import DoctorOptions, typed
from vcam.config import Config, changed, find_config_file, load_config
from vcam.doctor.case import Case
from vcam.doctor.examine import examine, would_work
from vcam.doctor.finding import Finding, Verdict, fail, ok
from vcam.doctor.view import View
from vcam.errors import ConfigError
from vcam.service import logs

_STYLES = MappingProxyType({Verdict.OK: "green", Verdict.WARN: "yellow", Verdict.FAIL: "bold red", Verdict.SKIP: "dim"})


def doctor(options: DoctorOptions, view: View | None = None) -> None:
    """Examine this computer. Exits with 1 when there would be no picture."""
    logs.configure("error", "console")
    case, settings = _case(options, view or View())
    findings = [settings, *examine(case)]
    if options.json:
        typer.echo(as_json(findings))
    else:
        show(findings, Console(highlight=False))
    if not would_work(findings):
        raise typer.Exit(1)


def show(findings: Sequence[Finding], console: Console) -> None:
    """A table of what is so; below it, where they can be pasted from, the remedies."""
    table = Table(box=None, pad_edge=False, show_header=False)
    table.add_column(min_width=4)
    table.add_column()
    table.add_column(overflow="fold")
    for finding in findings:
        table.add_row(Text(finding.verdict, style=_STYLES[finding.verdict]), Text(finding.check), Text(finding.facts))
    console.print(table)
    for verdict, heading in ((Verdict.FAIL, "To be done"), (Verdict.WARN, "Could be better")):
        _remedies([finding for finding in findings if finding.verdict is verdict], heading, console)
    good = would_work(findings)
    console.print(f"\n{'A camera would work.' if good else 'No camera would work.'}", style="green" if good else "red")


def as_json(findings: Sequence[Finding]) -> str:
    """All that was found, for machines."""
    document = {
        "works": would_work(findings),
        "version": __version__,
        "findings": [
            {"check": each.check, "verdict": each.verdict, "facts": each.facts, "remedy": each.remedy}
            for each in findings
        ],
    }
    return json.dumps(document, indent=2, ensure_ascii=False)


def _remedies(findings: Sequence[Finding], heading: str, console: Console) -> None:
    if not findings:
        return
    console.print(f"\n{heading}", style=_STYLES[findings[0].verdict])
    for remedy in dict.fromkeys(finding.remedy for finding in findings):
        for finding in findings:
            if finding.remedy == remedy:
                console.print(Text(f"  {finding.check}: {finding.facts}"), soft_wrap=True)
        console.print(Text(f"    {remedy}", style="bold"), soft_wrap=True)


def _case(options: DoctorOptions, view: View) -> tuple[Case, Finding]:
    """What to examine; where the settings are wrong, the defaults, so that all else is told as well."""
    try:
        file = find_config_file(options.config)
        config = load_config(file, os.environ, typed(options, but=frozenset({"config", "json"})))
        named = ", ".join(sorted(changed(Config(), config)))
        facts = f"set are {named}" if named else "the defaults"
        return Case(view, config), ok("settings", f"{file or 'no file'}; {facts}")
    except ConfigError as error:
        return Case(view, Config()), fail("settings", error.problem, error.hint)
