"""What a camera's failed system calls mean to whoever runs vcam."""

import errno
from pathlib import Path

from vcam.errors import DeviceError
from vcam.v4l2.holders import Users

GONE = (errno.ENODEV, errno.EIO, errno.EPROTO, errno.ESHUTDOWN)
"""The camera went away while it was open."""


def explained(path: Path, error: OSError, users: Users) -> DeviceError:
    """What an operator can do about a failed system call."""
    code = error.errno
    if code == errno.EBUSY:
        others = users.names()
        return DeviceError(f"{path} is in use by {others}", hint=f"Close it; `fuser -v {path}` names it.", users=others)
    users.forget()
    if code in (errno.ENOENT, errno.ENXIO):
        return DeviceError(f"there is no {path}", hint="See `vcam devices` for the cameras.", device=str(path))
    if code in (errno.EACCES, errno.EPERM):
        return DeviceError(
            f"no permission to open {path}",
            hint="Run `sudo usermod -aG video $USER` and log in again; in a container, pass the device and its group.",
            device=str(path),
        )
    if code in GONE:
        return DeviceError(
            f"{path} went away ({error.strerror})",
            hint="Plug the camera in again; `vcam devices` shows what is there.",
            device=str(path),
        )
    if code in (errno.ENOTTY, errno.EISDIR):
        return DeviceError(f"{path} is no video device", hint="See `vcam devices` for the cameras.", device=str(path))
    return DeviceError(
        f"{path}: {error.strerror or error}", hint="See `sudo dmesg | tail` for what the driver says.", device=str(path)
    )
