"""What CUDA's result codes become."""

import pytest

from vcam.cuda.errors import ILLEGAL_ADDRESS, OUT_OF_MEMORY, RESULTS, failure, is_lost
from vcam.errors import EngineUnavailableError, GpuError, GpuLostError


def test_an_error_has_name_meaning_and_remedy() -> None:
    error = failure(OUT_OF_MEMORY, "cuMemAlloc", "64 bytes")
    assert type(error) is GpuError
    assert error.problem == (
        "cuMemAlloc failed: CUDA_ERROR_OUT_OF_MEMORY (the GPU's memory, or the host's, is used up): 64 bytes"
    )
    assert "nvidia-smi" in error.hint
    assert error.context == {"code": 2, "call": "cuMemAlloc"}


@pytest.mark.parametrize("code", sorted(RESULTS))
def test_every_code_says_what_to_do(code: int) -> None:
    error = failure(code, "cuCall")
    assert error.hint
    assert not error.hint.endswith(".")
    assert RESULTS[code].name in error.problem
    assert is_lost(code) == isinstance(error, GpuLostError)
    assert error.retryable == (type(error) is GpuError)


@pytest.mark.parametrize("code", [ILLEGAL_ADDRESS, 214, 702, 710, 715, 716, 719, 999])
def test_what_spoils_the_process_for_good(code: int) -> None:
    assert type(failure(code, "cuCall")) is GpuLostError


@pytest.mark.parametrize("code", [3, 34, 36, 100, 101, 200, 209, 222, 802, 803, 804])
def test_what_this_machine_cannot_do_at_all(code: int) -> None:
    assert type(failure(code, "cuCall")) is EngineUnavailableError


def test_a_code_of_a_newer_cuda() -> None:
    error = failure(98765, "cuCall")
    assert type(error) is GpuError
    assert "CUDA error 98765" in error.problem
    assert not is_lost(98765)
