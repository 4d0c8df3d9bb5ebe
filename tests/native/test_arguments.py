"""What the bindings refuse, and that variants and threads of the loops agree."""

import threading
from collections.abc import Callable, Iterator
from dataclasses import replace

import numpy as np
import pytest

from tests.native.pictures import STAMP, blank, matte, noise
from vcam import native
from vcam.frame import AffineMatte, Image, PixelFormat, Plane, Size, VideoFormat, allocate_planes

FMT = VideoFormat(PixelFormat.NV12, 64, 48)


@pytest.fixture(autouse=True)
def _settings_restored() -> Iterator[None]:
    isa, threads = native.isa(), native.threads()
    yield
    native.select_isa(isa)
    native.set_threads(threads)


def image_with(plane: int, value: object) -> Image:
    planes: list[object] = list(noise(FMT).planes)
    planes[plane] = value
    return Image(tuple(planes), FMT, STAMP)  # type: ignore[arg-type]  # wrong on purpose


BAD_PLANES: dict[str, tuple[Callable[[], object], type[Exception], str]] = {
    "too few rows": (lambda: np.zeros((47, 64), np.uint8), ValueError, r"source plane 0: expected shape \(48, 64\)"),
    "too wide": (lambda: np.zeros((48, 65), np.uint8), ValueError, r"got \(48, 65\)"),
    "one dimension": (lambda: np.zeros(48 * 64, np.uint8), ValueError, r"got \(3072\)"),
    "floats": (lambda: np.zeros((48, 64), np.float32), TypeError, "expected uint8"),
    "int8": (lambda: np.zeros((48, 64), np.int8), TypeError, "expected uint8"),
    "gaps in a row": (lambda: np.zeros((48, 128), np.uint8)[:, ::2], ValueError, "must be contiguous"),
    "overlapping rows": (
        lambda: np.lib.stride_tricks.as_strided(np.zeros(4000, np.uint8), (48, 64), (32, 1)),
        ValueError,
        "shorter than a row",
    ),
    "upside down": (lambda: np.zeros((48, 64), np.uint8)[::-1], ValueError, "shorter than a row"),
    "no array": (lambda: "plane", TypeError, "expected a uint8 array, got str"),
    "none": (lambda: None, TypeError, "got NoneType"),
}


@pytest.mark.parametrize("case", BAD_PLANES)
def test_a_bad_plane_is_named(case: str) -> None:
    make, error, text = BAD_PLANES[case]
    with pytest.raises(error, match=text):
        native.sample(image_with(0, make()), np.empty((3, 9, 16), np.float32))


def test_the_number_of_planes_is_checked() -> None:
    image = noise(FMT)
    with pytest.raises(ValueError, match="expected 2 planes, got 1"):
        native.sample(replace(image, planes=image.planes[:1]), np.empty((3, 9, 16), np.float32))


def test_a_compressed_picture_is_refused() -> None:
    image = Image((), replace(FMT, pixel_format=PixelFormat.MJPG), STAMP)
    with pytest.raises(ValueError, match="'MJPG'"):
        native.sample(image, np.empty((3, 9, 16), np.float32))


@pytest.mark.parametrize("side", [0, -2, 8193])
def test_sides_are_limited(side: int) -> None:
    image = replace(noise(FMT), format=replace(FMT, width=side))
    with pytest.raises(ValueError, match=r"not within 1\.\.8192"):
        native.sample(image, np.empty((3, 9, 16), np.float32))


BAD_OUTPUTS: dict[str, tuple[Callable[[], object], type[Exception], str]] = {
    "float64": (lambda: np.empty((3, 9, 16)), TypeError, "out: expected float32"),
    "four channels": (lambda: np.empty((4, 9, 16), np.float32), ValueError, r"expected shape \(3, h, w\)"),
    "two dimensions": (lambda: np.empty((9, 16), np.float32), ValueError, "expected 3 dimensions"),
    "empty": (lambda: np.empty((3, 0, 16), np.float32), ValueError, r"expected shape \(3, h, w\)"),
    "not contiguous": (lambda: np.empty((3, 9, 32), np.float32)[..., ::2], ValueError, "C-contiguous"),
    "a list": (lambda: [1.0], TypeError, "got list"),
}


@pytest.mark.parametrize("case", BAD_OUTPUTS)
def test_a_bad_output_is_named(case: str) -> None:
    make, error, text = BAD_OUTPUTS[case]
    with pytest.raises(error, match=text):
        native.sample(noise(FMT), make())  # type: ignore[arg-type]  # wrong on purpose


def test_a_read_only_output_is_refused_and_a_read_only_source_is_not() -> None:
    out = np.empty((3, 9, 16), np.float32)
    image = noise(FMT)
    for plane in image.planes:
        plane.flags.writeable = False
    native.sample(image, out)
    out.flags.writeable = False
    with pytest.raises(ValueError, match="out: the array is read-only"):
        native.sample(image, out)


@pytest.mark.parametrize(
    "window",
    [
        native.Window(-1, 0, 10, 10),
        native.Window(0, 0, 65, 10),
        native.Window(60, 0, 10, 10),
        native.Window(0, 0, 0, 10),
        native.Window(0, 0, float("nan"), 10),
        native.Window(float("inf"), 0, 10, 10),
    ],
)
def test_a_window_lies_inside(window: native.Window) -> None:
    with pytest.raises(ValueError, match="does not lie within 64x48"):
        native.sample(noise(FMT), np.empty((3, 9, 16), np.float32), window)


@pytest.mark.parametrize(
    ("a", "b", "text"),
    [
        (np.zeros((3, 9, 16), np.float32), np.zeros((3, 9, 16), np.float32), r"a: expected shape \(4, h, w\)"),
        (np.zeros((4, 9, 16), np.float32), np.zeros((4, 9, 15), np.float32), "b: its shape"),
        (np.zeros((4, 9, 32), np.float32)[..., ::2], np.zeros((4, 9, 16), np.float32), "a: the array must be C-cont"),
        (np.zeros((1, 4, 9, 16), np.float32), np.zeros((1, 4, 9, 16), np.float32), "a: expected 3 dimensions"),
    ],
)
def test_a_bad_matte_is_named(a: np.ndarray, b: np.ndarray, text: str) -> None:
    with pytest.raises(ValueError, match=text):
        native.compose(noise(FMT), AffineMatte(a, b, STAMP), noise(FMT), blank(FMT))


def test_levels_must_be_finite() -> None:
    with pytest.raises(ValueError, match="gain and offset must be finite"):
        native.compose(noise(FMT), matte((9, 16)), noise(FMT), blank(FMT), levels=native.Levels(0.0, float("nan")))


def test_sizes_and_layouts_of_compose_must_agree() -> None:
    other = VideoFormat(PixelFormat.NV12, 62, 48)
    with pytest.raises(ValueError, match="background: its size"):
        native.compose(noise(FMT), matte((9, 16)), noise(other), blank(other))
    grey = replace(FMT, pixel_format=PixelFormat.GREY)
    with pytest.raises(ValueError, match="GREY cannot hold"):
        native.compose(noise(FMT), matte((9, 16)), noise(grey), blank(grey))


def test_outputs_may_not_overlap_anything() -> None:
    image, background = noise(FMT), noise(FMT, 1)
    with pytest.raises(ValueError, match="target: its memory overlaps the input source"):
        native.compose(image, matte((9, 16)), background, image.planes)
    with pytest.raises(ValueError, match="target: its memory overlaps the input background"):
        native.compose(image, matte((9, 16)), background, (background.planes[0], image.planes[1].copy()))
    rows = np.zeros((3 * 24, 64), np.uint8)
    partly = replace(background, planes=(rows[:48], background.planes[1]))
    with pytest.raises(ValueError, match="target: its memory overlaps the input background"):
        native.compose(image, matte((9, 16)), partly, (rows[24:], background.planes[1].copy()))
    shared = np.zeros((48, 64), np.uint8)
    with pytest.raises(ValueError, match="target: its planes overlap"):
        native.compose(image, matte((9, 16)), background, (shared, shared[:24]))
    memory = np.zeros(2 * 4 * 64 * 48, np.float32)
    model = AffineMatte(memory[: 4 * 9 * 16].reshape(4, 9, 16), memory[576 : 576 * 2].reshape(4, 9, 16), STAMP)
    with pytest.raises(ValueError, match="out: its memory overlaps the input b"):
        native.alpha(noise(FMT), model, memory[600 : 600 + 64 * 48].reshape(48, 64))


def test_planes_of_one_buffer_do_not_count_as_overlapping() -> None:
    out = allocate_planes(FMT)[1]
    native.compose(noise(FMT), matte((9, 16)), noise(FMT, 1), out)
    assert out[1].any()


def test_alpha_wants_its_own_size() -> None:
    with pytest.raises(ValueError, match=r"of shape \(48, 64\)"):
        native.alpha(noise(FMT), matte((9, 16)), np.empty((47, 64), np.uint8))
    with pytest.raises(TypeError, match="expected uint8 or float32"):
        native.alpha(noise(FMT), matte((9, 16)), np.empty((48, 64), np.int16))  # type: ignore[arg-type]  # on purpose


def test_a_blur_serves_one_size() -> None:
    blur = native.MaskedBlur(Size(64, 48))
    other = VideoFormat(PixelFormat.NV12, 62, 48)
    with pytest.raises(ValueError, match="source: expected 64x48"):
        blur.gather(noise(other), matte((9, 16)), 10)
    with pytest.raises(ValueError, match="target: expected 64x48"):
        blur.render(blank(other), other)
    with pytest.raises(ValueError, match="sigma"):
        blur.gather(noise(FMT), matte((9, 16)), -1.0)
    with pytest.raises(ValueError, match="not within"):
        native.MaskedBlur(Size(0, 4))


def test_only_what_runs_here_can_be_selected() -> None:
    assert native.isa() == native.isas()[0]
    assert native.isas()[-1] == "baseline"
    with pytest.raises(ValueError, match="'v9'"):
        native.select_isa("v9")
    with pytest.raises(ValueError, match="at least 1"):
        native.set_threads(0)


def everything(fmt: VideoFormat) -> list[Plane]:
    """Every function once, with data that reaches its branches."""
    image, background = noise(fmt, 1, padding=3), noise(replace(fmt, pixel_format=PixelFormat.YUYV), 2)
    model = matte((37, 61), 3)
    model.b[3, :, 30:] = -3.0
    small = np.empty((3, 40, 70), np.float32)
    native.sample(image, small)
    out, full = blank(background.format), np.empty((fmt.height, fmt.width), np.uint8)
    native.compose(image, model, background, out)
    native.alpha(image, model, full)
    nv12 = replace(fmt, pixel_format=PixelFormat.NV12)
    converted = blank(nv12)
    native.convert(background, converted, nv12)
    half = fmt.resized(Size(101, 77))
    scaled = blank(half)
    native.scale(image, scaled, half, native.Window(3.5, 2.5, fmt.width - 9.0, fmt.height - 5.0))
    blur = native.MaskedBlur(fmt.size)
    blur.gather(image, model, 40)
    room = blank(background.format)
    blur.render(room, background.format)
    quantised = (small * 255.0 + 0.5).astype(np.uint8)
    return [*out, full, *converted, *scaled, *room, *quantised]


@pytest.mark.parametrize("isa", native.isas())
@pytest.mark.parametrize("layout", [PixelFormat.I420, PixelFormat.I444, PixelFormat.YUYV])
def test_instruction_sets_agree(isa: str, layout: PixelFormat) -> None:
    fmt = VideoFormat(layout, 333, 201)
    native.select_isa("baseline")
    wanted = everything(fmt)
    native.select_isa(isa)
    assert native.isa() == isa
    for got, expected in zip(everything(fmt), wanted, strict=True):
        difference = np.abs(got.astype(int) - expected.astype(int))
        assert difference.max() <= 1
        assert (difference > 0).mean() < 0.01


@pytest.mark.parametrize("isa", native.isas())
def test_the_number_of_threads_changes_nothing(isa: str) -> None:
    fmt = VideoFormat(PixelFormat.NV12, 333, 201)
    native.select_isa(isa)
    native.set_threads(1)
    wanted = everything(fmt)
    for count in (2, 3, 7):
        native.set_threads(count)
        assert native.threads() == count
        for got, expected in zip(everything(fmt), wanted, strict=True):
            np.testing.assert_array_equal(got, expected)


def test_threads_may_call_at_the_same_time() -> None:
    fmt = VideoFormat(PixelFormat.I422, 333, 201)
    wanted = everything(fmt)
    results: list[list[Plane]] = []
    workers = [threading.Thread(target=lambda: results.append(everything(fmt))) for _ in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(20.0)
    assert len(results) == 4
    for result in results:
        for got, expected in zip(result, wanted, strict=True):
            np.testing.assert_array_equal(got, expected)
