"""A running vcam, looked at for an answer."""

import time
from collections.abc import Callable, Hashable

from vcam.control.desk import Desk
from vcam.control.naming import shown
from vcam.control.scenes import SceneView
from vcam.control.views import EngineView, OutputView, Percentiles, PlanView, RefusalView, StateView
from vcam.pipeline.snapshot import Snapshot
from vcam.pipeline.worker import told
from vcam.scene_settings import scene_values
from vcam.stages import EngineInfo

_KEPT_S = 0.25
"""So long one answer serves all who ask; a change of state makes a new one at once."""
_PERCENT = 100


class Teller:
    """Makes StateViews, not more than a few a second however many ask. clock: seconds, monotonic."""

    def __init__(self, desk: Desk, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._desk = desk
        self._clock = clock
        self._kept: tuple[float, Hashable, StateView] | None = None

    def key(self) -> Hashable:
        """Another value when something changed that is not a mere figure."""
        return self._key(self._desk.pipeline.snapshot())

    def scene(self) -> SceneView:
        """The scene in effect."""
        config, scene = self._desk.config, self._desk.pipeline.scene
        return SceneView.model_validate(
            {
                **shown(scene_values(config)),
                "blur": scene.blur or None,
                "room_is_shown": scene.show_room,
                "profile": self._desk.profile,
            }
        )

    def state(self) -> StateView:
        """At most a quarter of a second old."""
        now = self._desk.pipeline.snapshot()
        key, now_s = self._key(now), self._clock()
        if self._kept is not None and self._kept[1] == key and now_s - self._kept[0] < _KEPT_S:
            return self._kept[2]
        view = self._view(now)
        self._kept = now_s, key, view
        return view

    def _key(self, now: Snapshot) -> Hashable:
        build = None if now.plan_build_share is None else int(now.plan_build_share * _PERCENT)
        up = tuple(output.up for output in now.outputs)
        seen = now.state, now.safe_reason, now.camera_up, now.engine, now.decoder, now.takeover, build, up
        return seen, self._desk.version, self._desk.pipeline.scene.blur

    def _view(self, now: Snapshot) -> StateView:
        rows = self._desk.pipeline.statistics.table()
        return StateView(
            version=now.version,
            state=now.state,
            safe_reason=now.safe_reason,
            paused=self._desk.pipeline.paused,
            camera_up=now.camera_up,
            source=now.source,
            decoder=now.decoder,
            gpu_graph=now.gpu_graph,
            engine=None if now.engine is None else _engine(now.engine, now.engine_reason.text),
            plan=PlanView(
                share=now.plan_build_share,
                last_build_s=now.plan_build_s,
                takeover=now.takeover,
                takeovers=dict(now.takeovers),
            ),
            outputs=[
                OutputView(name=o.name, up=o.up, consumers=o.consumers, frames=o.frames, errors=o.errors)
                for o in now.outputs
            ],
            scene=self.scene(),
            restart_needed=self._desk.restart_needed,
            refused=None if self._desk.refused is None else RefusalView(**told(self._desk.refused)),
            fps=round(now.fps, 2),
            fps_target=round(now.fps_target, 2),
            last_live_age_s=_rounded(now.last_live_age_s),
            last_write_age_s=_rounded(now.last_write_age_s),
            frames=dict(now.frames),
            safe_cards=dict(now.safe),
            dropped=dict(now.dropped),
            times={
                row.name: Percentiles(
                    p50_ms=_ms(row.p50_s), p95_ms=_ms(row.p95_s), p99_ms=_ms(row.p99_s), count=row.count
                )
                for row in rows
            },
        )


def _engine(info: EngineInfo, reason: str) -> EngineView:
    return EngineView(
        engine=info.engine,
        model=info.model,
        precision=info.precision,
        size=str(info.size),
        device=info.device,
        reason=reason,
    )


def _ms(seconds: float) -> float:
    return round(seconds * 1e3, 3)


def _rounded(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds, 3)
