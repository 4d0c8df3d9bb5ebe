"""vcam's CUDA driver as it will run on a GPU: the real pycuda and cuda-bindings, over a libcuda on the CPU.

The tests are those marked ``gpu`` in this folder; here they run in a process of their own.
"""

import re

from tests.support.libcuda.site import CpuAsGpu

LEAST = 30
"""So many of them there are, or more."""


def test_the_contract_holds(machine: CpuAsGpu) -> None:
    files = [f"tests/cuda/{name}.py" for name in ("test_driver_contract", "test_device", "test_graph")]
    done = machine.python_with_pycuda("-m", "pytest", "-q", "-m", "gpu", "-p", "no:cacheprovider", *files)
    assert done.returncode == 0, done.stdout
    passed = re.search(r"(\d+) passed", done.stdout)
    assert passed is not None
    assert int(passed[1]) >= LEAST
    assert "skipped" not in done.stdout
    assert "PyCUDA WARNING" not in done.stdout + done.stderr


def test_a_driver_that_takes_another_signature_is_found_out(machine: CpuAsGpu) -> None:
    """The control: one call with an argument less."""
    code = """
import vcam.cuda.pycuda_driver as module
class Wrong(module.PycudaDriver):
    def create_event(self):
        return int(self._cu("cuEventCreate"))
driver = Wrong()
driver.push_context(driver.retain_context(0))
try:
    driver.create_event()
finally:
    driver.pop_context()
"""
    done = machine.python_with_pycuda("-c", code)
    assert "TypeError" in done.stderr
