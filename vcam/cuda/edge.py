"""Corrections of the matte along the person's edge, on the GPU: the twin of native.PersonEdge."""

from dataclasses import replace

from vcam.cuda.arguments import DeviceCorrections, DeviceMatte, EdgeArguments
from vcam.cuda.kernels import Kernels
from vcam.cuda.live import cells_of
from vcam.frame import Size
from vcam.stages import MatteControls

_STATE_PLANES = 5
_LINE_PLANES, _ROOM_PLANES = 5, 4
_SUMS = 10
"""As in native/post.h; a test holds them equal."""

_FLOAT_BYTES = 4


class _Sizes:
    """Of the parts of one block of memory, in floats, in their order there."""

    def __init__(self, size: Size) -> None:
        nodes = size.width * size.height
        self.cells = cells_of(size)
        cells = self.cells.columns * self.cells.rows
        self.floats = {
            "before": _STATE_PLANES * nodes,
            "after": _STATE_PLANES * nodes,
            "moved": nodes,
            "moments": _SUMS * cells,
            "mixed": _SUMS * cells,
            "planes": (_LINE_PLANES + _ROOM_PLANES) * cells,
        }

    @property
    def state_bytes(self) -> int:
        return _FLOAT_BYTES * (self.floats["before"] + self.floats["after"])


def edge_bytes(size: Size) -> int:
    """Device memory that DeviceEdge needs for mattes of ``size``."""
    return _FLOAT_BYTES * sum(_Sizes(size).floats.values())


class DeviceEdge:
    """For mattes of one size. memory: address of ``edge_bytes(size)`` bytes, the caller's.

    Smoothing keeps two states, which turns read and write alternately, as the recurrent states of a DeviceEngine. Both
    lie at the beginning of the memory, in ``state_bytes`` bytes: the caller fills them with 0xFF, which is no number,
    before the first frame and to forget all frames.
    """

    def __init__(self, kernels: Kernels, size: Size, memory: int) -> None:
        self._kernels = kernels
        self._size = size
        self._sizes = _Sizes(size)
        self._at = {}
        for name, floats in self._sizes.floats.items():
            self._at[name] = memory
            memory += _FLOAT_BYTES * floats

    @property
    def state_bytes(self) -> int:
        return self._sizes.state_bytes

    def prepare(
        self, small: int, matte: DeviceMatte, controls: MatteControls, turn: int, *, small_half: bool, cuda_stream: int
    ) -> DeviceMatte:
        """Queue what a frame tells of the edge; the same matte, to be composed with these corrections.

        small: address of (3, h, w), what the matte was made of, float16 where ``small_half``. turn: 0 or 1, the other
        one than of the frame before. controls: which corrections are made; how strong they are stands in the matte's
        LiveStruct. See native.PersonEdge for what a strength of 0 means.
        """
        if matte.size != self._size:
            raise ValueError(f"these corrections are for mattes of {self._size}, got {matte.size}")
        arguments = self._arguments(matte, turn)
        arguments.small, arguments.small_half = small, small_half
        self._queue(arguments, controls, cuda_stream)
        return replace(matte, corrections=self.corrections(controls, turn))

    def corrections(self, controls: MatteControls, turn: int) -> DeviceCorrections:
        """Where the results of ``prepare`` lie."""
        sizes, line = self._sizes, self._at["planes"]
        room = line + _FLOAT_BYTES * _LINE_PLANES * sizes.cells.columns * sizes.cells.rows
        return DeviceCorrections(
            smooth=self._states(turn)[1] if controls.smoothing > 0 else 0,
            line=line if controls.refine > 0 else 0,
            room=room if controls.despill > 0 else 0,
            columns=sizes.cells.columns,
            rows=sizes.cells.rows,
        )

    def _queue(self, arguments: EdgeArguments, controls: MatteControls, cuda_stream: int) -> None:
        nodes, cells = (self._size.width, self._size.height, 1), (self._sizes.cells.columns, self._sizes.cells.rows, 1)
        if controls.smoothing > 0:
            for name in ("edge_difference", "edge_follow"):
                self._kernels.launch(name, arguments, threads=nodes, cuda_stream=cuda_stream)
        if controls.refine > 0 or controls.despill > 0:
            for name in ("edge_gather", "edge_mix", "edge_solve"):
                self._kernels.launch(name, arguments, threads=cells, cuda_stream=cuda_stream)

    def _arguments(self, matte: DeviceMatte, turn: int) -> EdgeArguments:
        before, after = self._states(turn)
        return EdgeArguments(
            before=before,
            after=after,
            **{name: self._at[name] for name in ("moved", "moments", "mixed", "planes")},
            a=matte.a,
            b=matte.b,
            live=matte.live,
            width=self._size.width,
            height=self._size.height,
            side=self._sizes.cells.side,
            columns=self._sizes.cells.columns,
            rows=self._sizes.cells.rows,
            half=matte.half,
        )

    def _states(self, turn: int) -> tuple[int, int]:
        """Which one is read and which one is written."""
        first, second = self._at["before"], self._at["after"]
        return (second, first) if turn else (first, second)
