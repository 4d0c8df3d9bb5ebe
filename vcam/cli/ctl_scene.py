"""``vcam ctl set`` and ``effect``: any setting of the scene of a running vcam."""

import difflib
from collections.abc import Iterable

from vcam.cli.ctl_options import CtlEffectOptions, CtlOptions, CtlSetOptions
from vcam.cli.ctl_reach import ask, handed_over, tell
from vcam.cli.options import assigned, takes
from vcam.errors import ConfigError

_RESET = "reset"
_SHOWN = ("background", "color", "layers")
"""What is shown; all else is how."""


@takes(CtlSetOptions)
def set_values(options: CtlSetOptions) -> None:
    """Change settings of the scene: person_brightness=1.2 mirror=yes. Files are handed over first."""
    _change(options, options.values)


@takes(CtlEffectOptions)
def effect(options: CtlEffectOptions) -> None:
    """Change effects, or tell those in effect; reset takes all back, or those named."""
    words = options.words or []
    if not words:
        _show(options)
    elif words[0] == _RESET:
        _reset(options, words[1:])
    else:
        _change(options, words)


def _change(options: CtlOptions, texts: list[str]) -> None:
    from vcam.config import load_config
    from vcam.scene_settings import scene_values
    from vcam.setting_layers import key_of

    asked = assigned(texts)
    keys = [key_of(typed) for typed in asked]
    _check(keys)
    meant = scene_values(load_config(None, assigned=asked))
    values = handed_over(options, {key: meant[key] for key in keys})
    told = ask(options, "PATCH", "/scene", values)
    tell(options, told, "; ".join(f"{key}: {told[key]}" for key in values))


def _show(options: CtlOptions) -> None:
    from vcam.control.scenes import SceneView
    from vcam.scene_settings import unusual_values

    told = ask(options, "GET", "/scene")
    unusual = unusual_values(SceneView.model_validate(told))
    lines = [f"{key} = {value}" for key, value in unusual.items() if key not in _SHOWN]
    tell(options, told, "\n".join(lines) or "no effect is on")


def _reset(options: CtlOptions, keys: list[str]) -> None:
    from vcam.scene_settings import SCENE_KEYS, SceneSettings, scene_values
    from vcam.setting_layers import key_of

    names = [key_of(key) for key in keys] or [key for key in SCENE_KEYS if key not in _SHOWN]
    _check(names)
    usual = scene_values(SceneSettings())
    told = ask(options, "PATCH", "/scene", {key: usual[key] for key in names})
    tell(options, told, f"reset: {', '.join(names)}")


def _check(keys: Iterable[str]) -> None:
    """Raises ConfigError unless all are settings of the scene."""
    from vcam.scene_settings import SCENE_KEYS

    for key in keys:
        if key not in SCENE_KEYS:
            near = difflib.get_close_matches(key, SCENE_KEYS, n=1)
            hint = f"did you mean {near[0]}?" if near else f"they are {', '.join(SCENE_KEYS)}"
            raise ConfigError(f"the scene has no setting {key}", hint=hint)
