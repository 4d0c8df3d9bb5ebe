// Keyboard shortcuts, and the list of them.

import { byId, el } from "./dom.js";
import { choose } from "./backgrounds.js";
import { toggleMatte } from "./preview.js";
import { nextProfile } from "./profiles.js";
import { redraw } from "./chart.js";
import { togglePause } from "./status.js";

function changeTheme() {
  const root = document.documentElement;
  const dark = root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
  root.dataset.theme = dark ? "light" : "dark";
  localStorage.setItem("theme", root.dataset.theme);
  redraw();
}

const openHelp = () => byId("help-dialog").showModal();

const KEYS = [
  ["p", "Pause, or resume", togglePause],
  ["m", "Matte, or picture", toggleMatte],
  ["1 – 9", "Choose a background", null],
  ["n", "Next profile", nextProfile],
  ["s", "Save a picture", () => byId("snapshot").click()],
  ["u", "Upload a background", () => byId("file")?.click()],
  ["t", "Dark, or light", changeTheme],
  ["?", "This list", openHelp],
];

const enabled = () => byId("keys-on").checked;

/** Whether a letter belongs to what has the focus. */
function typing(target) {
  return target.isContentEditable || (target.matches("input, select, textarea") && !target.matches("[type=range], [type=checkbox]"));
}

function press(event) {
  if (event.ctrlKey || event.metaKey || event.altKey || event.repeat) return;
  if (typing(event.target) || document.querySelector("dialog[open]") || !enabled()) return;
  if (/^[1-9]$/.test(event.key)) return choose(Number(event.key) - 1);
  const found = KEYS.find(([key]) => key === event.key.toLowerCase());
  if (!found?.[2]) return;
  event.preventDefault();
  found[2]();
}

export function startKeys() {
  byId("keys").replaceChildren(...KEYS.map(([key, text]) => el("div", {}, el("dt", {}, el("kbd", {}, key)), el("dd", {}, text))));
  byId("keys-on").checked = localStorage.getItem("keys") !== "off";
  byId("keys-on").addEventListener("change", () => localStorage.setItem("keys", enabled() ? "on" : "off"));
  byId("help").addEventListener("click", openHelp);
  byId("theme").addEventListener("click", changeTheme);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", redraw);
  addEventListener("resize", redraw);
  addEventListener("keydown", press);
}
