"""``vcam bench``: run suites of measurements, show each as a table, store it as JSON."""

from collections.abc import Sequence
from itertools import groupby

from rich.console import Console
from rich.table import Table

from vcam.bench.report import Row, write_json
from vcam.bench.suites import SUITES, Options, needs_gpu
from vcam.cli.options import BenchOptions
from vcam.errors import ConfigError
from vcam.service import logs


def bench(options: BenchOptions) -> None:
    """Run the suites named, or all that need no GPU.

    Raises ConfigError for one that there is not and for no pictures at all, EngineUnavailableError for one that needs
    a GPU where there is none.
    """
    names = options.suites or [name for name in SUITES if not needs_gpu(name)]
    unknown = [name for name in names if name not in SUITES]
    if unknown:
        raise ConfigError(f"there is no suite {unknown[0]}", hint=f"vcam bench with one of: {', '.join(SUITES)}")
    if options.frames is not None and options.frames < 1:
        raise ConfigError(f"--frames {options.frames} measures nothing", hint="write 1 or more, or leave it out")
    logs.configure("warning", "console")
    console = Console(highlight=False)
    measured = Options(model=options.model, clip=options.clip, frames=options.frames)
    for name in names:
        text, run = SUITES[name]
        rows: list[Row] = []
        with Console(stderr=True).status(f"{name}: {text}"):
            for row in run(measured):
                rows.append(row)
        for group, members in groupby(rows, key=lambda row: row.group):
            console.print(_table(f"{name}: {group or text}", list(members)))
        if options.json is not None:
            path = options.json / f"{name}.json"
            write_json(path, name, rows)
            console.print(f"written to {path}", soft_wrap=True)


def _table(title: str, rows: Sequence[Row]) -> Table:
    table = Table(title=title, title_justify="left")
    table.add_column("measured", overflow="fold", min_width=20)
    for column in ("p50 ms", "p95 ms", "p99 ms", "count"):
        table.add_column(column, justify="right")
    table.add_column("more")
    for row in rows:
        figures = (f"{value:.2f}" for value in (row.p50_ms, row.p95_ms, row.p99_ms))
        more = ", ".join(
            f"{key} {value:g}" if isinstance(value, float) else f"{key} {value}" for key, value in row.extra.items()
        )
        table.add_row(row.name, *figures, str(row.count), more)
    return table
