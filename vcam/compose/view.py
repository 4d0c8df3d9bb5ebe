"""The camera's picture as outputs of one size show it."""

from vcam import native
from vcam.frame import AffineMatte, Image, Planes, Size, VideoFormat, allocate_planes
from vcam.looks import Framing
from vcam.native.effects import SurroundingLight


def cover_window(picture: Size, target: Size) -> native.Window:
    """The largest centred part of ``picture`` that has the shape of ``target``, in pixels of the picture."""
    scale = min(picture.width / target.width, picture.height / target.height)
    width, height = scale * target.width, scale * target.height
    return native.Window((picture.width - width) / 2.0, (picture.height - height) / 2.0, width, height)


def framed_window(picture: Size, target: Size, framing: Framing) -> native.Window:
    """The part of ``picture`` that is shown, in the shape of ``target``; negative extents where it is turned."""
    whole = cover_window(picture, target)
    width, height = whole.width / framing.zoom, whole.height / framing.zoom
    left = (picture.width - width) / 2.0 * (1.0 + framing.pan_x)
    top = (picture.height - height) / 2.0 * (1.0 + framing.pan_y)
    if framing.mirror:
        left, width = picture.width - left, -width
    if framing.flip:
        top, height = picture.height - top, -height
    return native.Window(left, top, width, height)


class View:
    """One camera format at one output size: cropped to cover it, then scaled; nothing happens where both are equal.

    Owns the scaled picture and the blurs of this size, each allocated when first needed. Pictures are borrowed until
    the next call.
    """

    def __init__(self, camera: VideoFormat, size: Size) -> None:
        self._camera = camera
        self._format = camera.resized(size)
        self.frame(Framing())
        self._scaled: Planes | None = None
        self._blur: native.MaskedBlur | None = None
        self._person: native.MaskedBlur | None = None
        self._light: SurroundingLight | None = None

    def frame(self, framing: Framing) -> None:
        """What is shown from now on."""
        size = self._format.size
        self._crop = framed_window(self._camera.size, size, framing)
        self._lends = self._camera.size == size and self._crop == native.Window(0.0, 0.0, size.width, size.height)

    def picture(self, image: Image) -> Image:
        """The part of ``image`` that is shown, at the output's size, in the camera's layout and colour."""
        if self._lends:
            return image
        if self._scaled is None:
            self._scaled = allocate_planes(self._format)[1]
        native.scale(image, self._scaled, self._format, self._crop)
        return Image(self._scaled, self._format, image.stamp)

    def matte_window(self, matte: AffineMatte) -> native.Window:
        """The part of a matte of the whole camera picture that covers the view."""
        _, height, width = matte.a.shape
        x, y = width / self._camera.width, height / self._camera.height
        return native.Window(x * self._crop.x, y * self._crop.y, x * self._crop.width, y * self._crop.height)

    @property
    def blur(self) -> native.MaskedBlur:
        """The blurred room behind the view, made when first asked for."""
        if self._blur is None:
            self._blur = native.MaskedBlur(self._format.size)
        return self._blur

    @property
    def person(self) -> native.MaskedBlur:
        """The blurred person in the view, made when first asked for."""
        if self._person is None:
            self._person = native.MaskedBlur(self._format.size)
        return self._person

    @property
    def light(self) -> SurroundingLight:
        """The light around the person in the view, made when first asked for."""
        if self._light is None:
            self._light = SurroundingLight(self._format.size)
        return self._light
