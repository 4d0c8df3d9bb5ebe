// A control for each setting of the scene that the API describes: numbers with limits become sliders, switches
// switches, lists of words choices. A setting that is new in vcam is here by itself.

import { byId, el, words } from "./dom.js";
import { change, settings, underway } from "./scene.js";
import { onState, state } from "./state.js";

/** Title, and which settings belong there: by the beginning of their name, or by name. The last one takes the rest. */
const GROUPS = [
  { title: "Person", prefix: "person_", keys: ["light_wrap"] },
  { title: "Edge", prefix: "edge_", keys: ["threshold", "softness", "grow", "smoothing", "despill", "refine"] },
  { title: "Framing", prefix: "framing_", keys: ["mirror", "flip", "zoom", "pan_x", "pan_y", "auto_frame"] },
  { title: "Background", prefix: "background_", keys: [] },
  { title: "Layers", prefix: "layers_", keys: [] },
  { title: "More", prefix: "", keys: [] },
];
const ELSEWHERE = new Set(["background", "color", "blur", "layers"]);

const groupOf = (key) => GROUPS.find(({ prefix, keys }) => keys.includes(key) || (prefix && key.startsWith(prefix))) ?? GROUPS.at(-1);

function limits(setting) {
  const low = setting.minimum ?? setting.exclusiveMinimum;
  const high = setting.maximum ?? setting.exclusiveMaximum;
  return low === undefined || high === undefined ? null : { low, high };
}

/** A hundred steps or so, of a size that reads well. */
function step({ low, high }, whole) {
  if (whole) return 1;
  const size = 10 ** Math.floor(Math.log10((high - low) / 50));
  return Math.max(size, 0.001);
}

function slider(setting, id) {
  const range = limits(setting);
  const size = step(range, setting.type === "integer");
  const digits = Math.max(0, -Math.floor(Math.log10(size)));
  const out = el("output", { for: id });
  const input = el("input", { type: "range", id, min: range.low, max: range.high, step: size });
  const show = () => {
    out.textContent = Number(input.value).toFixed(digits);
    input.style.setProperty("--share", `${((input.value - range.low) / (range.high - range.low)) * 100}%`);
  };
  input.addEventListener("input", () => {
    show();
    change({ [setting.key]: Number(input.value) });
  });
  return { input, out, set: (value) => { input.value = value; show(); }, get: () => Number(input.value) };
}

function toggle(setting, id) {
  const input = el("input", { type: "checkbox", id, role: "switch" });
  input.addEventListener("change", () => change({ [setting.key]: input.checked }));
  return { input, set: (value) => { input.checked = value; }, get: () => input.checked };
}

function choice(setting, id) {
  const input = el("select", { id }, setting.enum.map((value) => el("option", { value }, words(String(value)))));
  input.addEventListener("change", () => change({ [setting.key]: input.value }));
  return { input, set: (value) => { input.value = value; }, get: () => input.value };
}

function control(setting, id) {
  if (setting.type === "boolean") return toggle(setting, id);
  if (setting.enum) return choice(setting, id);
  if ((setting.type === "number" || setting.type === "integer") && limits(setting)) return slider(setting, id);
  return null;
}

function row(setting, group) {
  const id = `set-${setting.key}`;
  const made = control(setting, id);
  if (!made) return null;
  const told = setting.description ?? "";
  const hint = el("span", { id: `${id}-hint`, class: "hint" }, told);
  made.input.setAttribute("aria-describedby", hint.id);
  const element = el("div", { class: `row ${made.out ? "wide" : ""}`, title: told },
    el("label", { for: id }, words(setting.key, group.prefix)), made.out, made.input, hint);
  return { ...made, setting, element };
}

function section(group, rows) {
  const dot = el("span", { class: "dot", hidden: true, role: "img", "aria-label": "changed" });
  const reset = el("button", { type: "button", class: "quiet", disabled: true }, `Reset ${group.title.toLowerCase()}`);
  reset.addEventListener("click", () => {
    const defaults = Object.fromEntries(rows.map(({ setting }) => [setting.key, setting.default]));
    rows.forEach(({ set, setting }) => set(setting.default));
    change(defaults);
    mark();
  });
  function mark() {
    const changed = rows.some(({ get, setting }) => get() !== setting.default);
    reset.disabled = !changed;
    dot.hidden = !changed;
  }
  const box = el("details", { class: "group", open: groupOf(rows[0].setting.key) === GROUPS[0] },
    el("summary", {}, group.title, dot),
    el("div", { class: "rows" }, rows.map(({ element }) => element), reset));
  box.addEventListener("input", mark);
  return { box, rows, mark };
}

export async function startSliders() {
  const found = (await settings()).filter(({ key }) => !ELSEWHERE.has(key));
  const sections = GROUPS.map((group) => {
    const rows = found.filter(({ key }) => groupOf(key) === group).map((setting) => row(setting, group)).filter(Boolean);
    return rows.length ? section(group, rows) : null;
  }).filter(Boolean);
  if (sections.length && !sections.some(({ box }) => box.open)) sections[0].box.open = true;
  byId("groups").replaceChildren(...sections.map(({ box }) => box));
  const follow = (now) => {
    for (const { rows, mark } of sections) {
      for (const { setting, set, input } of rows) {
        input.disabled = !now;
        if (now && !underway(setting.key)) set(now.scene[setting.key]);
      }
      mark();
    }
  };
  onState(follow);
  if (!state()) follow(null);
}
