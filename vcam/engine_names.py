"""What the engines are called. What each needs stands in vcam.engines.select, how each is made in vcam.pipeline."""

from enum import StrEnum


class EngineName(StrEnum):
    """As users write them. AUTO takes the best of the others that runs here, and says why."""

    AUTO = "auto"
    TENSORRT = "tensorrt"
    TENSORRT_RTX = "tensorrt-rtx"
    OPENVINO = "openvino"
    ONNXRUNTIME = "onnxruntime"
    PLATE = "plate"
