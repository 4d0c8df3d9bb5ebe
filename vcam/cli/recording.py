"""Files that ``vcam run`` would write over: refused before anything is opened."""

from collections.abc import Iterator
from pathlib import Path

from vcam.config import Config
from vcam.errors import ConfigError
from vcam.sinks.spec import SinkKind, SinkSpec, parse_sink, unfinished
from vcam.sources.spec import parse_source


def check_outputs(config: Config, *, force: bool) -> None:
    """Raises ConfigError: an output is the input or another output, whatever links lead there, or a file that is there.

    force: that last one may be replaced.
    """
    source = parse_source(config.input).path
    used = {} if source is None else {source.resolve(): "is the input"}
    for text in config.output:
        spec = parse_sink(text)
        touched = list(_touched(spec))
        for path in touched:
            if path.resolve() in used:
                raise ConfigError(f"output {text} {used[path.resolve()]}", hint="name another --output")
            if path.exists() and spec.kind is SinkKind.FILE and not force:
                raise ConfigError(f"{path} is there already", hint="name another --output, or replace it with --force")
        used |= {path.resolve(): f"is written twice, by {text}" for path in touched}


def _touched(spec: SinkSpec) -> Iterator[Path]:
    if spec.path is not None:
        yield spec.path
        if spec.kind is SinkKind.FILE:
            yield unfinished(spec.path)
