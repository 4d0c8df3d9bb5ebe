"""The camera's picture as outputs of one size show it."""

from vcam import native
from vcam.frame import AffineMatte, Image, Planes, Size, VideoFormat, allocate_planes


def cover_window(picture: Size, target: Size) -> native.Window:
    """The largest centred part of ``picture`` that has the shape of ``target``, in pixels of the picture."""
    scale = min(picture.width / target.width, picture.height / target.height)
    width, height = scale * target.width, scale * target.height
    return native.Window((picture.width - width) / 2.0, (picture.height - height) / 2.0, width, height)


class View:
    """One camera format at one output size: cropped to cover it, then scaled; nothing happens where both are equal.

    Owns the scaled picture and the blurred room of this size, allocated once. Pictures are borrowed until the next
    call.
    """

    def __init__(self, camera: VideoFormat, size: Size) -> None:
        self._camera = camera
        self._format = camera.resized(size)
        self._crop = cover_window(camera.size, size)
        self._scaled: Planes | None = None if camera.size == size else allocate_planes(self._format)[1]
        self._blur: native.MaskedBlur | None = None

    def picture(self, image: Image) -> Image:
        """The part of ``image`` that is shown, at the output's size, in the camera's layout and colour."""
        if self._scaled is None:
            return image
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
