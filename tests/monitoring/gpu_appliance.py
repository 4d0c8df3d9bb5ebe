"""An appliance whose plan cannot be built: python -m tests.monitoring.gpu_appliance PORT

All of it is vcam, but for the GPU, which is not there: its successor builds half a plan, and fails when SIGUSR1 comes;
and but for the readers of the output, which are two.
"""

import signal
import sys
import threading
from dataclasses import replace

from vcam.config import Config
from vcam.errors import EngineUnavailableError
from vcam.pipeline.assemble import wire
from vcam.pipeline.preparation import Preparation
from vcam.pipeline.supervisor import Pipeline
from vcam.pipeline.wiring import OpenedProcessor, Wiring
from vcam.service.start import metrics_server
from vcam.sinks.null import NullSink

SETTINGS = {"input": "test:320x180@10", "output": ("null:",), "engine": "plate"}
FAILS = threading.Event()


class ReadSink(NullSink):
    """An output that two applications read."""

    def consumers(self) -> int | None:
        return 2


def build_plan(preparation: Preparation) -> OpenedProcessor:
    """Half of it."""
    with preparation.plan_build() as progress:
        progress(0.5)
        FAILS.wait()
        raise EngineUnavailableError("the plan cannot be built", hint="this is a test")


def wired() -> Wiring:
    wiring = wire(Config.model_validate(SETTINGS))
    sinks = tuple(ReadSink(sink.format) for sink in wiring.sinks)

    def open_processor(preparation: Preparation) -> OpenedProcessor:
        return replace(wiring.open_processor(preparation), successor=build_plan)

    policy = replace(wiring.policy, upgrade_retry_s=1.0)
    return replace(wiring, sinks=sinks, open_processor=open_processor, policy=policy)


def main(port: int) -> None:
    with Pipeline(wired()) as pipeline, metrics_server(pipeline.snapshot, "127.0.0.1", port):
        signal.signal(signal.SIGUSR1, lambda *_: FAILS.set())
        pipeline.run()


if __name__ == "__main__":
    main(int(sys.argv[1]))
