"""What the options of Linux-Fake-Background-Webcam (lfbw) are here: both of its generations, from its config file."""

import math
from collections.abc import Mapping
from types import MappingProxyType

from vcam.cli.lfbw_file import HINT, Fate, Import
from vcam.cli.lfbw_filters import Filters, filters_of
from vcam.errors import ConfigError
from vcam.looks import ColorMap

_VIDEOS = frozenset({".mp4", ".m4v", ".mov", ".mkv", ".webm", ".gif"})
_UNREAD = frozenset({".avi", ".mpg", ".mpeg", ".wmv", ".flv", ".ogv"})
_SIGMA_SHARE = 0.05
"""Of the picture's width: sigma of blur:100, as native.BLUR_SIGMA."""

_MAPS: Mapping[str, ColorMap] = MappingProxyType(
    {
        **{each.value: each for each in ColorMap},
        **dict.fromkeys(("grey", "greys", "binary", "gist_gray", "gist_grey"), ColorMap.GRAY),
        **dict.fromkeys(("copper", "pink", "ylorbr"), ColorMap.SEPIA),
        **dict.fromkeys(("afmhot", "gist_heat", "autumn", "ylorrd"), ColorMap.HOT),
        **dict.fromkeys(("rainbow", "hsv", "gist_rainbow", "nipy_spectral", "gist_ncar"), ColorMap.TURBO),
        **dict.fromkeys(("winter", "pubu", "blues", "gist_earth"), ColorMap.OCEAN),
        **dict.fromkeys(("cividis", "parula", "summer"), ColorMap.VIRIDIS),
        **dict.fromkeys(("greens", "gist_stern"), ColorMap.NIGHT),
    }
)
"""The nearest of ours to names of OpenCV and matplotlib."""


def translate(found: Import) -> None:
    """Fill in the values, and tell of each option. Raises ConfigError, also where none of them is lfbw's."""
    if found.options.keys().isdisjoint(KNOWN):
        raise ConfigError("the file has no option of lfbw", hint=HINT)
    _flow(found)
    _classic_person(found)
    _person(found, filters_of(found.options.get("selfie", "")))
    if "background" in found.options:
        _behind(found, filters_of(found.options["background"]))
    else:
        _classic_behind(found)
    if "mask" in found.options:
        _overlay(found, filters_of(found.options["mask"]))
    else:
        _classic_overlay(found)
    for option in found.untold():
        if option in _DROPPED:
            found.tell(option, Fate.DROPPED, _DROPPED[option])
        elif _PRECEDED.get(option) in found.options:
            found.tell(option, Fate.DROPPED, f"`{_PRECEDED[option]}` goes before it")
        elif option in KNOWN:
            found.tell(option, Fate.SAME, "nothing to set")
        else:
            found.tell(option, Fate.DROPPED, "no option of lfbw that is known")


def _flow(found: Import) -> None:
    for option in ("width", "height", "fps"):
        if option in found.options:
            found.values[option] = int(found.number(option, 0))
            found.tell(option, Fate.SAME, f"{option} = {found.values[option]}")
    if "webcam-path" in found.options:
        found.values["input"] = found.options["webcam-path"]
        found.tell("webcam-path", Fate.BETTER, "input; /dev/v4l/by-id/... there outlives unplugging")
    output = found.options.get("v4l2loopback-path", "/dev/video2")
    found.values["output"] = [output]
    found.tell("v4l2loopback-path", Fate.BETTER, "output: one or several, each in a format of its own")
    on_demand = not found.asks("no-ondemand")
    found.values["on_demand"] = on_demand
    found.tell("no-ondemand", Fate.BETTER, f"on_demand = {str(on_demand).lower()}: counts who really reads, not opens")


def _classic_behind(found: Import) -> None:
    """As lfbw's first years had it, and where its later ones say nothing else."""
    if found.asks("no-background"):
        kernel = found.number("background-blur", 21)
        sigma_px = kernel / max(found.number("background-blur-sigma-frac", 3), 0.1)
        _blurred(found, "no-background, background-blur, background-blur-sigma-frac", sigma_px)
    else:
        fit = (
            "tile" if found.asks("tile-background") else "cover" if found.asks("background-keep-aspect") else "stretch"
        )
        _pictured(
            found,
            "background-image, background-keep-aspect, tile-background",
            found.options.get("background-image", "background.jpg"),
            fit,
        )


def _classic_overlay(found: Import) -> None:
    if not found.asks("no-foreground") and "foreground-image" in found.options:
        mask = found.options.get("foreground-mask-image")
        _layer(found, "foreground-image, foreground-mask-image", found.options["foreground-image"], mask, None)


def _classic_person(found: Import) -> None:
    if found.asks("hologram"):
        _hologram(found, "hologram", "person")
    if "background-mask-update-speed" in found.options:
        _smoothed(found, "background-mask-update-speed", found.number("background-mask-update-speed", 50))
    for option, prefix in (("cmap-person", "person"), ("cmap-bg", "background"), ("cmapy-bg", "background")):
        if found.options.get(option, "none").lower() != "none":
            _mapped(found, option, prefix, found.options[option])


def _person(found: Import, filters: Filters) -> None:
    _colours(found, "selfie", "person", filters)
    if filters.blur is not None:
        found.values["person_blur"] = _strength(found, _sigma_of_kernel(filters.blur))
        found.tell("selfie blur", Fate.BETTER, "person_blur: the outline stays sharp")
    if filters.opacity is not None:
        found.values["person_opacity"] = filters.opacity / 100.0
        found.tell("selfie opacity", Fate.SAME, "person_opacity")
    if filters.solid is not None or filters.file is not None:
        found.tell("selfie solid, file", Fate.DROPPED, "a person of one colour or picture: use person_brightness = 0")


def _behind(found: Import, filters: Filters) -> None:
    if filters.no:
        sigmas = (filters.blur or 21.0) / 3.0, _sigma_of_kernel(filters.blur or 0.0)
        _blurred(found, "background no", math.hypot(*sigmas))
    elif filters.solid is not None:
        blue, green, red = filters.solid
        found.values |= {"background": "color", "color": f"{red},{green},{blue}"}
        found.tell("background solid", Fate.SAME, "background = color, with red first")
    elif filters.file is not None:
        fit = "tile" if filters.tile else "cover" if filters.crop else "stretch"
        _pictured(found, "background file", filters.file, fit)
        if filters.blur:
            found.tell("background blur", Fate.DROPPED, "of a picture: blur the file once, as with `convert -blur`")
    _colours(found, "background", "background", filters)
    if filters.update_speed is not None:
        _smoothed(found, "background mask-update-speed", filters.update_speed)


def _overlay(found: Import, filters: Filters) -> None:
    path = filters.foreground or filters.file
    if path is None or filters.no:
        return
    mask = filters.mask_file or (filters.file if filters.foreground else None)
    _layer(found, "mask", path, mask, filters.opacity)
    if filters.has_effects:
        found.tell("mask effects", Fate.DROPPED, "of what stands before the person: change the picture itself")


def _colours(found: Import, option: str, prefix: str, filters: Filters) -> None:
    if filters.brightness is not None:
        found.values[f"{prefix}_brightness"] = min(max(filters.brightness / 100.0, 0.0), 2.0)
        found.tell(
            f"{option} brightness", Fate.SAME, f"{prefix}_brightness; with contrast, saturation and more beside it"
        )
    if filters.cmap is not None:
        _mapped(found, f"{option} cmap", prefix, filters.cmap)
    if filters.hologram:
        _hologram(found, f"{option} hologram", prefix)


def _hologram(found: Import, option: str, prefix: str) -> None:
    found.values[f"{prefix}_hologram"] = 1.0
    found.tell(option, Fate.BETTER, f"{prefix}_hologram: it moves, and has a strength")


def _mapped(found: Import, option: str, prefix: str, name: str) -> None:
    mapped = _MAPS.get(name.lower())
    if mapped is None:
        found.tell(option, Fate.DROPPED, f"{name}: choose one of {', '.join(list(ColorMap)[1:])}")
        return
    found.values[f"{prefix}_colormap"] = mapped.value
    found.tell(option, Fate.SAME, f"{prefix}_colormap = {mapped.value}")


def _smoothed(found: Import, option: str, speed: float) -> None:
    found.values["smoothing"] = round(min(max(1.0 - speed / 100.0, 0.0), 1.0), 2)
    found.tell(option, Fate.BETTER, "smoothing: only where nothing moves, so that no mask lags behind")


def _blurred(found: Import, option: str, sigma_px: float) -> None:
    found.values["background"] = f"blur:{_strength(found, sigma_px):g}"
    found.tell(option, Fate.BETTER, "background = blur: as soft, without a halo of the person")


def _strength(found: Import, sigma_px: float) -> float:
    widest_px = _SIGMA_SHARE * max(found.number("width", 1280), 1.0)
    return float(min(max(round(100.0 * sigma_px / widest_px), 1), 100))


def _sigma_of_kernel(value: float) -> float:
    """Of blur=0..100, in pixels: OpenCV's sigma of a kernel of about so many."""
    kernel = int(min(max(value, 0.0), 100.0) / 100.0 * 99.0) | 1
    return 0.3 * ((kernel - 1) * 0.5 - 1.0) + 0.8 if value else 0.0


def _pictured(found: Import, option: str, text: str, fit: str) -> None:
    path = found.located(text)
    suffix = path.suffix.lower()
    if suffix in _UNREAD:
        found.tell(
            option, Fate.DROPPED, f"{suffix} is not read here: `ffmpeg -i {path.name} new.mp4`, then video:new.mp4"
        )
        return
    if "*" in text or not path.is_file():
        found.tell(option, Fate.DROPPED, f"there is no file {path}: set background yourself")
        return
    kind = "video" if suffix in _VIDEOS else "image"
    found.values["background"] = f"{kind}:{path},fit={fit}"
    better = (
        "own thread, true speed, no gap at its end" if kind == "video" else "changed live, by `vcam ctl background`"
    )
    found.tell(option, Fate.BETTER, f"background = {kind}:PATH,fit={fit}: {better}")


def _layer(found: Import, option: str, text: str, mask: str | None, opacity: float | None) -> None:
    path = found.located(text)
    if not path.is_file():
        found.tell(option, Fate.DROPPED, f"there is no file {path}: set layers yourself")
        return
    parts = [f"image:{path}", "width=1"]
    if mask is not None:
        parts.append(f"mask={found.located(mask)}")
    if opacity is not None:
        parts.append(f"opacity={min(max(opacity / 100.0, 0.0), 1.0):g}")
    found.values["layers"] = [",".join(parts)]
    found.tell(option, Fate.BETTER, "layers: as wide as the picture, not distorted; several, also animated, also text")


_PRECEDED: Mapping[str, str] = MappingProxyType(
    {
        **dict.fromkeys(("background-image", "no-background", "background-blur"), "background"),
        **dict.fromkeys(("foreground-image", "foreground-mask-image"), "mask"),
    }
)
"""What lfbw's later options stand for. Of the others, which say how, nothing is lost."""

_REPAIR = "it mends a coarse mask; a matte is soft where the person is. See refine, smoothing, softness, grow"
_DROPPED: Mapping[str, str] = MappingProxyType(
    {
        "codec": "the camera's best mode is found by itself (vcam devices shows them)",
        "threshold": "of a mask's confidence; a matte knows how much of a pixel is the person. See threshold, softness",
        "use-sigmoid": "it makes a mask's edge hard; softness = 0.5 does that to a matte",
        "no-postprocess": _REPAIR,
        "select-model": "quality = fast, balanced, high or ultra",
        "scale-width": "quality = fast, balanced, high or ultra",
        "scale-height": "quality = fast, balanced, high or ultra",
        "scale-factor": "quality = fast, balanced, high or ultra",
        "bodypix-url": "the network runs inside, with no server",
        "image-folder": "paths are whole here",
        "ondemand": "on_demand, which is set",
        "akvcam": 'output = ["/dev/videoN"] takes akvcam, too',
        "no-akvcam": 'output = ["/dev/videoN"] takes akvcam, too',
        "dump": "vcam ctl status tells what is in effect",
        "config": "vcam run --config FILE",
    }
)
_HANDLED = frozenset(
    {
        *("width", "height", "fps", "webcam-path", "v4l2loopback-path", "no-ondemand", "selfie", "background", "mask"),
        *(
            "no-background",
            "background-blur",
            "background-blur-sigma-frac",
            "background-keep-aspect",
            "tile-background",
        ),
        *("background-image", "no-foreground", "foreground-image", "foreground-mask-image", "hologram"),
        *("background-mask-update-speed", "cmap-person", "cmap-bg", "cmapy-bg"),
    }
)
KNOWN = _HANDLED | _DROPPED.keys()
