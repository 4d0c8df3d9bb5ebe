from pathlib import Path

import pytest

from tests.appliance.checkout import Checkout, make_checkout


@pytest.fixture
def bare(tmp_path: Path) -> Checkout:
    """A computer without any camera, virtual or not."""
    return make_checkout(tmp_path)


@pytest.fixture
def pc(bare: Checkout) -> Checkout:
    """One with a USB camera, whose second node has its metadata, and with AI-Camera."""
    bare.add_camera(2, "usb-HD_Webcam-video-index0")
    bare.add_camera(3, "usb-HD_Webcam-video-index1", index=1)
    bare.add_virtual(10, "AI-Camera")
    bare.add_virtual(11, "AI-Camera 2")
    return bare
