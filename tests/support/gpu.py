"""The real GPU, for tests marked ``gpu`` (tests/conftest.py leaves those out where there is none)."""

from vcam.cuda.driver import Driver
from vcam.cuda.pycuda_driver import PycudaDriver


def real_driver() -> Driver:
    """CUDA's own. Raises what a user would see where there is no GPU."""
    return PycudaDriver()
