"""Texts of the scene's grammar, for schemathesis: a description can name their format, and no pattern can say it."""

import schemathesis
from hypothesis import strategies as st

_SHARES = st.floats(0.01, 1.0).map("{:.6g}".format)
_LEVELS = st.integers(0, 255)
_COLORS = st.tuples(_LEVELS, _LEVELS, _LEVELS).map("{0[0]},{0[1]},{0[2]}".format) | st.from_regex(
    r"#[0-9a-fA-F]{6}", fullmatch=True
)
_NAMES = st.from_regex(r"[a-z0-9][a-z0-9-]{0,20}\.(jpg|png|webp|mp4)", fullmatch=True)
_PLACING = st.lists(st.sampled_from((",fit=tile", ",fit=contain", ",anchor=top", ",anchor=left")), max_size=3).map(
    "".join
)
_BACKGROUNDS = st.one_of(
    st.sampled_from(("green", "color", "blur", "none")),
    _COLORS.map("color:{}".format),
    st.floats(1.0, 100.0).map("blur:{:g}".format),
    st.tuples(st.sampled_from(("image", "video", "slides")), _NAMES, _PLACING).map("{0[0]}:{0[1]}{0[2]}".format),
)
_OPTIONS = st.dictionaries(st.sampled_from(("x", "y", "width", "opacity")), _SHARES).map(
    lambda options: "".join(f",{name}={share}" for name, share in options.items())
)
_LINES = st.text(st.characters(categories=["L", "N"], codec="ascii"), min_size=1, max_size=80)
_LAYERS = st.tuples(_LINES.map("text:{}".format) | _NAMES.map("image:{}".format), _OPTIONS).map("".join)

schemathesis.openapi.format("vcam-color", _COLORS)
schemathesis.openapi.format("vcam-background", _BACKGROUNDS)
schemathesis.openapi.format("vcam-layer", _LAYERS)
