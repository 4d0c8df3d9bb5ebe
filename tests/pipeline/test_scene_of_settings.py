"""Settings become the values that a scene is made of; without any, nothing changes."""

from dataclasses import asdict, fields, replace

import pytest

from vcam.looks import ColorMap, Framing, MatteControls, PersonLook
from vcam.pipeline.assemble_scene import make_scene, next_scene
from vcam.scene_settings import SceneSettings

VALUES: dict[str, object] = {
    "smoothing": 0.1,
    "despill": 0.2,
    "refine": 0.3,
    "threshold": 0.4,
    "softness": 0.6,
    "person_opacity": 0.7,
    "person_brightness": 1.1,
    "person_contrast": 1.2,
    "person_gamma": 2.5,
    "person_saturation": 1.3,
    "person_temperature": -0.2,
    "person_colormap": "thermal",
    "person_blur": 40.0,
    "person_hologram": 0.8,
    "grow": -0.3,
    "light_wrap": 0.9,
    "mirror": True,
    "flip": True,
    "zoom": 2.0,
    "pan_x": -0.5,
    "pan_y": 0.5,
}


def flat(settings: SceneSettings) -> dict[str, object]:
    """What the scene has, by the names of settings."""
    scene = make_scene(settings)
    person = {f"person_{name}": value for name, value in asdict(scene.person).items()}
    person["light_wrap"] = person.pop("person_light_wrap")
    return asdict(scene.matte) | person | asdict(scene.framing)


def test_without_settings_nothing_changes() -> None:
    scene = make_scene(SceneSettings(background="green"))
    assert (scene.person, scene.framing, scene.matte) == (PersonLook(), Framing(), MatteControls())


@pytest.mark.parametrize("key", VALUES)
def test_each_setting_reaches_its_place_and_no_other(key: str) -> None:
    usual = flat(SceneSettings(background="green"))
    got = flat(SceneSettings.model_validate({"background": "green", key: VALUES[key]}))
    assert {name: value for name, value in got.items() if value != usual[name]} == {key: VALUES[key]}


def test_a_change_keeps_the_backdrop() -> None:
    before = make_scene(SceneSettings(background="green"))
    settings = SceneSettings(background="green", person_colormap=ColorMap.NIGHT, mirror=True)
    after = next_scene(before, settings, {"person_colormap", "mirror"}, [])
    assert after.backdrop is before.backdrop
    assert after == replace(before, person=PersonLook(colormap=ColorMap.NIGHT), framing=Framing(mirror=True))


def test_every_field_of_a_look_is_named_once() -> None:
    assert {field.name for field in fields(PersonLook)}.isdisjoint(field.name for field in fields(Framing))
