"""Stages, and a GPU, that do what a script says: for tests, here and in programs that build on vcam.

Each satisfies its Protocol by shape and passes the same contract tests as the real ones.
"""

from vcam.fakes.cuda import FakeDriver, Kernel
from vcam.fakes.cuda_memory import FakeMemory, MisuseError
from vcam.fakes.stages import FakeEngine, FakeSink, FakeSource, Fault

__all__ = ["FakeDriver", "FakeEngine", "FakeMemory", "FakeSink", "FakeSource", "Fault", "Kernel", "MisuseError"]
