"""What the SAFE card says for each reason: for the people in the call, so no jargon."""

from collections.abc import Mapping
from types import MappingProxyType

from vcam.frame import Image, VideoFormat
from vcam.pipeline.snapshot import SafeReason
from vcam.scene.card import SafeCard
from vcam.stages import Backdrop

_SOON = "The picture comes back by itself"

TEXTS: Mapping[SafeReason, tuple[str, str]] = MappingProxyType(
    {
        SafeReason.STARTING: ("Starting", "The camera will be here in a moment"),
        SafeReason.ENGINE_LOADING: ("Starting", "The camera will be here in a moment"),
        SafeReason.ENGINE_BUILDING: ("Getting ready", "The first start takes a few minutes"),
        SafeReason.RELOAD: ("One moment", "Settings are being changed"),
        SafeReason.PAUSED: ("Paused", "The camera is switched off for now"),
        SafeReason.CAMERA_LOST: ("Camera disconnected", _SOON),
        SafeReason.ENGINE_ERROR: ("One moment", _SOON),
        SafeReason.ENGINE_STALL: ("One moment", _SOON),
        SafeReason.MATTE_INVALID: ("One moment", _SOON),
        SafeReason.LATE: ("One moment", _SOON),
        SafeReason.INTERNAL_ERROR: ("One moment", _SOON),
    }
)
"""Title and one line for each reason; the exact cause stands in the log and the metrics."""


class CardTexts:
    """Draws the card for a reason; the pictures are kept by the card, one set per backdrop."""

    def __init__(self) -> None:
        self._backdrop: Backdrop | None = None
        self._card: SafeCard | None = None

    def render(self, backdrop: Backdrop, target: VideoFormat, reason: SafeReason) -> Image:
        """The card before this backdrop, in the layout of one output; borrowed, never changed."""
        if self._card is None or backdrop is not self._backdrop:
            self._backdrop, self._card = backdrop, SafeCard(backdrop)
        title, detail = TEXTS[reason]
        return self._card.render(target, title, detail)
