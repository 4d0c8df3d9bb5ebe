// The picture that leaves, moving. While the tab is hidden, or nothing may be shown, nothing is asked for.

import { path } from "./api.js";
import { byId } from "./dom.js";
import { onState } from "./state.js";

const image = byId("preview");
let matte = false;
let allowed = false;
let again = 0;

const address = () => `${path("preview.mjpg")}${matte ? "?matte=1" : ""}`;

function update() {
  clearTimeout(again);
  const wanted = allowed && !document.hidden ? address() : "";
  if (image.getAttribute("src") === wanted) return;
  if (wanted) image.src = wanted;
  else image.removeAttribute("src");
  image.hidden = !wanted;
}

export function showMatte(on) {
  matte = on;
  byId("show-picture").setAttribute("aria-pressed", String(!on));
  byId("show-matte").setAttribute("aria-pressed", String(on));
  image.alt = on ? "The matte: white is the person" : "Live picture of what viewers see";
  byId("snapshot").href = `${path("snapshot.jpg")}${on ? "?matte=1" : ""}`;
  update();
}

export const toggleMatte = () => showMatte(!matte);

/** Why there is no picture, in words; nothing where there is one. */
function veil(now) {
  if (!now) return "";
  if (now.scene.room_is_shown && !now.paused) return "The room is shown as it is: its picture is not shown here.";
  if (now.state === "idle") return "Nobody watches: the camera is closed.";
  if (matte && now.state !== "live") return "There is a matte only while the person is shown.";
  return "";
}

export function startPreview() {
  byId("show-picture").addEventListener("click", () => showMatte(false));
  byId("show-matte").addEventListener("click", () => showMatte(true));
  document.addEventListener("visibilitychange", update);
  image.addEventListener("error", () => {
    image.removeAttribute("src");
    image.hidden = true;
    again = setTimeout(update, 1000);
  });
  image.addEventListener("load", () => {
    if (image.naturalWidth && !matte) byId("screen").style.aspectRatio = `${image.naturalWidth} / ${image.naturalHeight}`;
  });
  onState((now) => {
    const text = veil(now);
    byId("veil").textContent = text;
    allowed = Boolean(now) && !text;
    update();
  });
}
