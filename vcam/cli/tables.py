"""Numbers as tables for people."""

from collections.abc import Sequence

from rich.table import Table

from vcam.pipeline.statistics import TableRow


def stage_table(rows: Sequence[TableRow], title: str = "") -> Table:
    """Percentiles per stage, in milliseconds."""
    table = Table(title=title or None, title_justify="left", caption_justify="left")
    table.add_column("stage")
    for percentile in ("p50", "p95", "p99"):
        table.add_column(f"{percentile} ms", justify="right")
    table.add_column("frames", justify="right")
    for row in rows:
        figures = (f"{seconds * 1e3:.2f}" for seconds in (row.p50_s, row.p95_s, row.p99_s))
        table.add_row(row.name, *figures, str(row.count))
    return table
