"""What is told of pictures and videos that vcam's user may not read."""

from pathlib import Path

from vcam.errors import MediaError


def forbidden(path: Path) -> MediaError:
    """The error for a file or folder that is there, maybe, and hidden from the user that vcam runs as."""
    there = f"/etc/vcam/{path.name}"
    return MediaError(
        f"{path} may not be read by this vcam; one that systemd starts sees no home",
        hint=f"sudo cp -r {path} /etc/vcam && sudo chmod -R a+rX {there}, then name {there}",
        path=str(path),
    )
