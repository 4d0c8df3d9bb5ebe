"""The state of a running vcam for people."""

from vcam.control.views import StateView
from vcam.scene_settings import unusual_values


def status_text(told: dict[str, object]) -> str:
    """Some lines. told: an answer of /api/v1/state."""
    now = StateView.model_validate(told)
    lines = [("state", _state(now)), ("camera", f"{now.source}, {'open' if now.camera_up else 'not open'}")]
    if now.engine is None:
        lines.append(("engine", "none yet"))
    else:
        engine = now.engine
        facts = f"{engine.engine} ({engine.model}, {engine.size}, {engine.precision}, {engine.device})"
        lines.append(("engine", f"{facts}: {engine.reason}"))
    if now.plan.share is not None:
        lines.append(("plan", f"{now.plan.share:.0%} built"))
    for output in now.outputs:
        readers = "" if output.consumers is None else f", {output.consumers} readers"
        lines.append(("output", f"{output.name}, {'open' if output.up else 'not open'}{readers}"))
    lines.append(("scene", _scene(now)))
    if now.restart_needed:
        lines.append(("restart", f"needed for: {', '.join(now.restart_needed)}"))
    if now.refused is not None:
        lines.append(("refused", f"{now.refused.problem}; {now.refused.hint}"))
    if "latency" in now.times:
        latency = now.times["latency"]
        lines.append(("latency", f"{latency.p50_ms:.1f} ms, 95 % below {latency.p95_ms:.1f} ms"))
    return "\n".join(f"{name:<9}{text}" for name, text in lines)


def _state(now: StateView) -> str:
    reason = f" ({now.safe_reason})" if now.safe_reason else ""
    return f"{now.state}{reason}, {now.fps:.1f} of {now.fps_target:g} frames a second"


def _told(key: str, value: object) -> str:
    """A switch that is on is its name; several texts stand in brackets."""
    if value is True:
        return key
    return f"{key} [{'; '.join(value)}]" if isinstance(value, tuple) else f"{key} {value}"


def _scene(now: StateView) -> str:
    scene = now.scene
    on = [_told(key, value) for key, value in unusual_values(scene).items() if key not in ("background", "color")]
    profile = [f"profile {scene.profile}"] if scene.profile else []
    shown = [f"{scene.background} ({scene.color})" if scene.background == "color" else scene.background]
    return ", ".join([*shown, *on, *profile])
