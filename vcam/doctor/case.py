"""What is examined: a computer, settings, and the video nodes found on it."""

import json
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from vcam.config import Config
from vcam.doctor.view import View
from vcam.sinks.spec import SinkKind, SinkSpec, parse_sink
from vcam.sources.spec import SourceSpec, parse_source
from vcam.v4l2.devices import Inventory, list_devices
from vcam.v4l2.holders import Holder, holders

OURS = "vcam"
"""What the kernel calls a process of ours."""

_FIRST_PORT, _PORTS = 9435, 8
"""Instances that were started by plugging in take one port after the other."""
_OURS_ALONE = frozenset({"state", "safe_reason", "version"})


@dataclass(frozen=True)
class Case:
    """The checks' subject. Making one raises ConfigError for a source or sink that there is not."""

    view: View
    config: Config

    def __post_init__(self) -> None:
        self.source, self.sinks  # noqa: B018  both are parsed, and complain, here

    @cached_property
    def source(self) -> SourceSpec:
        return parse_source(self.config.input)

    @cached_property
    def sinks(self) -> tuple[SinkSpec, ...]:
        return tuple(parse_sink(text) for text in self.config.output)

    @cached_property
    def output_nodes(self) -> tuple[Path, ...]:
        """Virtual cameras that the settings name, as paths of this process."""
        return tuple(self.view.path(sink.path) for sink in self.sinks if sink.kind is SinkKind.DEVICE and sink.path)

    @cached_property
    def inventory(self) -> Inventory:
        return list_devices(root=self.view.root, kernel=self.view.kernel)

    def holders(self, node: Path) -> tuple[Holder, ...]:
        return holders(node, self.view.path("proc"))

    def ours(self, node: Path) -> Holder | None:
        """A vcam that has ``node`` open, as far as this user may see that."""
        return next((holder for holder in self.holders(node) if holder.command == OURS), None)

    def state_at(self, port: int, host: str = "127.0.0.1") -> str | None:
        """What a vcam that serves this port says of itself; None when there is none, or something else."""
        answer = self.view.page(f"http://{host}:{port}/healthz")
        try:
            told = json.loads(answer[1]) if answer else None
        except ValueError:
            return None
        return str(told["state"]) if isinstance(told, dict) and told.keys() >= _OURS_ALONE else None

    @cached_property
    def running(self) -> bool:
        """Whether some vcam runs: what another user's has open cannot be seen, but its port can."""
        ports = {self.config.http_port, *range(_FIRST_PORT, _FIRST_PORT + _PORTS)} - {0}
        return any(self.state_at(port) for port in sorted(ports))
