"""Camera and engine, chosen while vcam runs: a change opens them anew, under the card."""

from collections.abc import Iterable, Sequence
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from vcam.config import Quality
from vcam.control.refusal import conflict, not_found
from vcam.engine_names import EngineName
from vcam.pipeline.offer import EngineOffer
from vcam.v4l2.devices import Camera, Inventory

_TEST_PICTURE = "test:1280x720@30"
_LONGEST_INPUT = 300


class SetupChange(BaseModel):
    """What to change; what is left out stays as it is."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    input: Annotated[str, Field(max_length=_LONGEST_INPUT, description="One of `inputs`.")] | None = None
    engine: Annotated[EngineName | None, Field(description="One of `engines` that can run.")] = None
    quality: Annotated[Quality | None, Field(description="How large a picture the network sees.")] = None


class InputView(BaseModel):
    """A camera that could be used."""

    input: str
    label: str


class EngineChoiceView(BaseModel):
    """An engine. problem: why it cannot run on this computer; null where it can."""

    engine: EngineName
    problem: str | None
    hint: str | None


class SetupView(BaseModel):
    """What is chosen, and what there is to choose from."""

    input: str
    engine: EngineName
    quality: Quality
    inputs: list[InputView]
    engines: list[EngineChoiceView]
    qualities: list[Quality]


class Offer:
    """What this computer has. also: inputs that are none of its cameras and may be chosen all the same."""

    def __init__(self, inventory: Inventory, engines: Sequence[EngineOffer], also: Iterable[str]) -> None:
        self.engines = [EngineChoiceView(engine=e.engine, problem=e.problem, hint=e.hint) for e in engines]
        cameras = [camera for camera in inventory.cameras if camera.readable]
        self._names = {name: _lasting(camera) for camera in cameras for name in map(str, (camera.path, *camera.by_id))}
        labels = {_lasting(camera): camera.card for camera in cameras}
        others = [each for each in dict.fromkeys((*also, _TEST_PICTURE)) if each not in self._names]
        labels |= {each: "Drawn test picture" if each == _TEST_PICTURE else each for each in others}
        self.inputs = [InputView(input=each, label=label) for each, label in labels.items()]

    def shown(self, text: str) -> str:
        """The name in ``inputs`` of what the settings may call otherwise."""
        return self._names.get(text, text)

    def check(self, change: SetupChange) -> None:
        """Raises RefusedError: there is no such input, or the engine cannot run."""
        if change.input is not None and self.shown(change.input) not in {each.input for each in self.inputs}:
            raise not_found("input", change.input, where="/api/v1/setup")
        engine = next((each for each in self.engines if each.engine is change.engine), None)
        if engine is not None and engine.problem is not None:
            raise conflict(f"engine {engine.engine}: {engine.problem}", hint=engine.hint or "choose another engine")


def _lasting(camera: Camera) -> str:
    """A name that survives replugging, where there is one."""
    return str(camera.by_id[0] if camera.by_id else camera.path)
