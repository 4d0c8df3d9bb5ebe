"""OpenCV as a reader: opencv.py DEVICE COUNT FILE"""

import sys
from pathlib import Path

import cv2

device, count, file = sys.argv[1:]
camera = cv2.VideoCapture(device, cv2.CAP_V4L2)
camera.set(cv2.CAP_PROP_CONVERT_RGB, 0)
with Path(file).open("wb") as output:
    for _ in range(int(count)):
        taken, picture = camera.read()
        if not taken:
            sys.exit("no picture")
        output.write(picture.tobytes())
