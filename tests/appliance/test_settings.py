""".env.example and compose.yaml know every setting there is, at its default."""

import os
import re
import subprocess
import sys
from pathlib import Path

import yaml

from vcam.config import Config, load_config

ROOT = Path(__file__).parents[2]
SHORT = {"CAMERA": "VCAM_INPUT", "OUTPUT": "VCAM_OUTPUT", "BACKGROUND": "VCAM_BACKGROUND"}
ADDRESS = {
    *("VCAM_HTTP_HOST", "VCAM_HTTP_PORT"),
    *("VCAM_CONTROL_HOST", "VCAM_CONTROL_PORT", "VCAM_CONTROL_TRUST_GATEWAY"),
}
FIXED = ADDRESS | {
    *(
        "VCAM_CONTROL_HOST",
        "VCAM_CONTROL_PORT",
        "VCAM_CONTROL_SOCKET",
        "VCAM_CONTROL_TOKEN_FILE",
        "VCAM_CONTROL_TRUST_GATEWAY",
    ),
    *("VCAM_MODELS_DIR", "VCAM_PLAN_DIR", "VCAM_MEDIA_DIR", "VCAM_PROFILES_DIR"),
}
"""Matters of the container; what is outside it is another port and a volume."""
INTERNAL = {"REVISION", "SETTINGS", "RESTART"}
APPLIANCE = {"VCAM_WAIT_FOR_CAMERA": "true", "VCAM_LOG_FORMAT": "json"}
"""Where the appliance's default is another than vcam's."""

SETTINGS = {f"VCAM_{key.upper()}" for key in Config.model_fields}


def example() -> dict[str, str]:
    """Names and values of .env.example; each line of it is commented out."""
    text = (ROOT / ".env.example").read_text()
    assert not [line for line in text.splitlines() if line and not line.startswith("#")]
    return dict(re.findall(r"(?m)^# ([A-Z][A-Z0-9_]*)=(.*)$", text))


def compose_texts() -> dict[str, str]:
    return {path.name: path.read_text() for path in ROOT.glob("compose*.yaml")}


def defaults_of_compose() -> dict[str, set[str]]:
    """Each variable that the compose files ask for, with its defaults there."""
    found: dict[str, set[str]] = {}
    for text in compose_texts().values():
        for name, default in re.findall(r"\$\{([A-Z_]+)(?::-([^{}]*))?\}?", text):
            found.setdefault(name, set()).add(default)
    return found


def test_the_example_has_every_setting_and_no_other() -> None:
    named = {SHORT.get(name, name) for name in example()}
    assert {name for name in named if name.startswith("VCAM_")} == SETTINGS - FIXED
    assert named - SETTINGS == set(defaults_of_compose()) - SETTINGS - set(SHORT) - INTERNAL


def test_the_example_shows_the_defaults_of_vcam() -> None:
    shown = {SHORT.get(name, name): value for name, value in example().items()}
    environ = {name: value for name, value in shown.items() if name in SETTINGS and value and name not in APPLIANCE}
    assert load_config(None, environ) == load_config(None)
    assert {name: shown[name] for name in APPLIANCE} == APPLIANCE
    empty = {name.removeprefix("VCAM_").lower() for name in SETTINGS if shown.get(name) == ""}
    assert {key for key in empty if Config.model_fields[key].default not in (None, ())} == set()


def test_the_example_can_be_used_as_it_is(tmp_path: Path) -> None:
    environ = {name: value for name, value in example().items() if name.startswith("VCAM_")}
    assert {"VCAM_MODEL", "VCAM_DOWNSAMPLE", "VCAM_FRAMES"} <= {name for name, value in environ.items() if not value}
    scene = ("-i", "test:160x90@30", "-o", "null:", "-e", "plate", "--frames", "3", "-W", "160", "-H", "90")
    alone = ("--http-port", "0", "--control-port", "0", "--control-socket", "none")
    started = subprocess.run(
        [sys.executable, "-m", "vcam", "run", *scene, *alone],
        env={"PATH": os.environ["PATH"], "HOME": str(tmp_path), **environ},
        cwd=tmp_path, capture_output=True, text=True, timeout=100,
    )  # fmt: skip
    assert started.returncode == 0, started.stderr
    assert '"live":3' in started.stderr.replace(" ", "")


def test_the_example_shows_the_defaults_of_compose() -> None:
    shown = example()
    other = {name: values for name, values in defaults_of_compose().items() if name in shown}
    assert {name: shown[name] for name in other if shown[name] not in other[name]} == {}


def test_every_setting_reaches_the_container() -> None:
    environment = yaml.safe_load(compose_texts()["compose.yaml"])["services"]["vcam"]["environment"]
    assert set(environment) == SETTINGS - FIXED | ADDRESS
    passed_on = {key for key, value in environment.items() if value is None}
    # A name without a value takes even the image's own value away, so these two have one.
    assert passed_on == SETTINGS - FIXED - set(SHORT.values()) - set(APPLIANCE)


def test_what_is_fixed_is_told() -> None:
    text = (ROOT / ".env.example").read_text()
    assert {name for name in FIXED if name not in text} == set()
