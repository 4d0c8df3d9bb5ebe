"""sample against the float64 reference and against the ONNX Resize it replaces."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.native import reference
from tests.native.pictures import LOW_SIZES, PADDING, SEEDS, SOURCES, STAMP, formats, noise
from vcam import native
from vcam.frame import Image, PixelFormat, Tensor, VideoFormat


def run(image: Image, size: tuple[int, int], window: native.Window | None = None) -> Tensor:
    out = np.full((3, *size), np.nan, np.float32)
    native.sample(image, out, window)
    return out


@settings(max_examples=100)
@given(source=formats(SOURCES), size=LOW_SIZES, seed=SEEDS, padding=PADDING)
def test_any_source_equals_the_reference(source: VideoFormat, size: tuple[int, int], seed: int, padding: int) -> None:
    image = noise(source, seed, padding)
    np.testing.assert_allclose(run(image, size), reference.resized(reference.rgb(image), *size), atol=5e-5)


@settings(max_examples=40)
@given(source=formats(SOURCES, 40), size=LOW_SIZES, seed=SEEDS, share=st.tuples(*[st.floats(0.05, 0.5)] * 4))
def test_a_window_is_read_alone(
    source: VideoFormat, size: tuple[int, int], seed: int, share: tuple[float, float, float, float]
) -> None:
    image = noise(source, seed)
    w, h = source.width, source.height
    window = native.Window(share[0] * w, share[1] * h, share[2] * w, share[3] * h)
    np.testing.assert_allclose(
        run(image, size, window), reference.resized(reference.rgb(image), *size, window), atol=5e-5
    )


def resize_by_onnx(values: Tensor, height: int, width: int, mode: str) -> Tensor:
    """(C, h, w) through one Resize node as RVM's export has it."""
    import onnx
    import onnxruntime

    helper = onnx.helper
    node = helper.make_node("Resize", ["x", "", "", "sizes"], ["y"], mode="linear", coordinate_transformation_mode=mode)
    sizes = helper.make_tensor("sizes", onnx.TensorProto.INT64, [4], [1, values.shape[0], height, width])
    graph = helper.make_graph(
        [node],
        "resize",
        [helper.make_tensor_value_info("x", onnx.TensorProto.FLOAT, [1, *values.shape])],
        [helper.make_tensor_value_info("y", onnx.TensorProto.FLOAT, [1, values.shape[0], height, width])],
        [sizes],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    (result,) = session.run(None, {"x": values[None]})
    return np.asarray(result[0], np.float32)


@pytest.mark.parametrize("mode", ["half_pixel", "pytorch_half_pixel"])
@pytest.mark.parametrize(
    ("full", "small"), [((72, 128), (18, 32)), ((135, 240), (54, 96)), ((97, 211), (40, 64)), ((20, 30), (45, 77))]
)
def test_it_is_the_onnx_resize(mode: str, full: tuple[int, int], small: tuple[int, int]) -> None:
    image = noise(VideoFormat(PixelFormat.RGB24, full[1], full[0]), 7)
    wanted = resize_by_onnx(reference.rgb(image).astype(np.float32), *small, mode)
    np.testing.assert_allclose(run(image, small), wanted, atol=1e-5)


def test_alpha_is_upsampled_as_the_onnx_resize_does() -> None:
    fmt = VideoFormat(PixelFormat.GREY, 211, 97)
    low = np.random.default_rng(3).uniform(0.0, 1.0, (1, 40, 64)).astype(np.float32)
    out = np.empty((97, 211), np.float32)
    from vcam.frame import AffineMatte

    a, b = np.zeros((2, 4, 40, 64), np.float32)
    b[3] = low[0]
    native.alpha(noise(fmt), AffineMatte(a, b, STAMP), out)
    np.testing.assert_allclose(out, resize_by_onnx(low, 97, 211, "half_pixel")[0], atol=1e-5)


def test_every_level_decodes_to_where_it_should() -> None:
    fmt = VideoFormat(PixelFormat.GREY, 256, 1)
    image = Image((np.arange(256, dtype=np.uint8)[None],), fmt, STAMP)
    got = run(image, (1, 256))
    wanted = np.clip((np.arange(256) - 16.0) / 219.0, 0.0, 1.0)
    np.testing.assert_allclose(got[:, 0], np.stack([wanted] * 3), atol=1e-6)


@pytest.mark.parametrize("poison", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("index", [0, 17, -1])
def test_all_finite_sees_one_bad_value(poison: float, index: int) -> None:
    values = np.random.default_rng(1).normal(size=(4, 9, 13)).astype(np.float32)
    values[0, 0, :2] = [np.finfo(np.float32).max, -np.finfo(np.float32).tiny]
    assert native.all_finite(values)
    values.reshape(-1)[index] = poison
    assert not native.all_finite(values)
