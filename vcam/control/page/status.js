// The banner: what viewers see, and why, in words. And the figures.

import { path, post } from "./api.js";
import { byId, el, notice, words } from "./dom.js";
import { draw } from "./chart.js";
import { onState, state } from "./state.js";

const WHY = {
  starting: "The camera is being opened.",
  engine_loading: "The engine is being loaded.",
  engine_building: "The engine is being built for this GPU. That takes some minutes, once.",
  engine_error: "The engine failed; it is started again.",
  engine_stall: "The engine does not answer.",
  matte_invalid: "The engine gave a matte that cannot be trusted.",
  camera_lost: "The camera is gone. Plug it in again: it comes back by itself.",
  late: "Pictures come too late. A faster quality may help.",
  reload: "Camera and engine are being opened anew.",
  paused: "You paused. Viewers see a card.",
  internal_error: "Something failed in vcam; its log says what.",
};
const STATES = { live: "Live", safe: "Safe", idle: "Idle", starting: "Starting" };

function banner(now) {
  if (!now) return ["lost", "No connection", "vcam does not answer. This page tries again."];
  const plan = now.plan.share === null ? "" : `Building plan: ${Math.round(now.plan.share * 100)} %.`;
  if (now.paused) return ["safe", "Paused", "Viewers see a card instead of you."];
  if (now.state === "live" && now.scene.room_is_shown) return ["room", "Room shown", "No background: everybody sees the real room."];
  if (now.state === "live") return ["live", STATES.live, plan];
  if (now.state === "idle") return ["idle", STATES.idle, "Nobody watches; the camera is closed."];
  return [now.state, STATES[now.state], plan || WHY[now.safe_reason] || ""];
}

function show(now) {
  const [kind, title, detail] = banner(now);
  const box = byId("banner");
  if (box.dataset.state !== kind) box.dataset.state = kind;
  const [strong, span] = box.children;
  if (strong.textContent !== title) strong.textContent = title;
  if (span.textContent !== detail) span.textContent = detail;
  document.title = now ? `${title} · vcam` : "vcam";
}

function figures(now) {
  const latency = now?.times.latency;
  byId("fps").textContent = now ? now.fps.toFixed(now.fps < 10 ? 1 : 0) : "–";
  byId("latency").textContent = latency ? latency.p50_ms.toFixed(0) : "–";
  byId("engine").textContent = now?.engine ? `${now.engine.engine} · ${now.engine.size} · ${now.engine.device}` : "";
  byId("reason").textContent = now?.engine ? `${now.engine.engine}: ${now.engine.reason}.` : "";
  const rows = Object.entries(now?.times ?? {}).map(([stage, time]) =>
    el("tr", {}, el("th", { scope: "row" }, words(stage)), el("td", {}, time.p50_ms.toFixed(1)), el("td", {}, time.p95_ms.toFixed(1))));
  byId("times").tBodies[0].replaceChildren(...rows);
}

function pauseButton(now) {
  const button = byId("pause");
  button.disabled = !now;
  button.textContent = now?.paused ? "Resume" : "Pause";
  button.setAttribute("aria-pressed", String(Boolean(now?.paused)));
}

export async function togglePause() {
  try {
    await post(path(state()?.paused ? "resume" : "pause"));
  } catch (error) {
    notice(error.message, error.hint);
  }
}

export function startStatus() {
  byId("pause").addEventListener("click", togglePause);
  let last = 0;
  onState((now) => {
    show(now);
    pauseButton(now);
    figures(now);
    if (now && performance.now() - last > 900) {
      last = performance.now();
      draw(now);
    }
  });
}
