// Name plates, pictures and videos before the person, in order: the last one is on top.

import { byId, el, words } from "./dom.js";
import { media } from "./backgrounds.js";
import { change, underway } from "./scene.js";
import { onState, state } from "./state.js";

const ANCHORS = ["top-left", "top", "top-right", "left", "center", "right", "bottom-left", "bottom", "bottom-right"];
const ORDER = ["x", "y", "width", "opacity", "anchor", "mask", "font"];

/** "text:Ada Lovelace,Analyst,anchor=bottom-left" in its parts. Commas that divide nothing stand behind a backslash. */
function parts(layer) {
  const [kind, rest = ""] = layer.split(/:(.*)/s);
  const pieces = rest.split(/(?<!\\),/);
  const first = pieces.findIndex((piece) => /^\s*[a-z_]+=/.test(piece));
  const heads = first < 0 ? pieces : pieces.slice(0, first);
  const options = Object.fromEntries((first < 0 ? [] : pieces.slice(first)).map((each) => each.trim().split(/=(.*)/s)));
  return { kind, heads: heads.map((each) => each.replaceAll("\\,", ",").trim()), options };
}

function text({ kind, heads, options }) {
  const lines = kind === "text" ? heads.filter(Boolean).map((each) => each.replaceAll(",", "\\,")) : heads;
  const more = ORDER.filter((key) => options[key]).map((key) => `${key}=${options[key]}`);
  return `${kind}:${[...lines, ...more].join(",")}`;
}

/** What can be typed of a line: an equals sign would begin an option. */
const plain = (line) => line.replace(/[=\\\u0000-\u001f]/g, "").trim().slice(0, 80);

const layers = () => [...(state()?.scene.layers ?? [])];
const put = (list) => change({ layers: list });

function replaced(at, layer) {
  const list = layers();
  list[at] = layer;
  put(list);
}

function anchor(at, own) {
  const input = el("select", { "aria-label": "Place" },
    ANCHORS.map((value) => el("option", { value, selected: value === (own.options.anchor ?? (own.kind === "text" ? "bottom-left" : "bottom")) },
      words(value.replace("-", " ")))));
  input.addEventListener("change", () => {
    const { x, y, ...options } = own.options;
    replaced(at, text({ ...own, options: { ...options, anchor: input.value } }));
  });
  return input;
}

function share(at, own, key, label, usual) {
  const out = el("output", {});
  const input = el("input", { type: "range", min: 0.02, max: 1, step: 0.02, value: own.options[key] ?? usual, "aria-label": `${label} of this layer` });
  const show = () => {
    out.textContent = `${Math.round(input.value * 100)} %`;
    input.style.setProperty("--share", `${((input.value - 0.02) / 0.98) * 100}%`);
  };
  show();
  input.addEventListener("input", () => {
    show();
    own.options[key] = String(Number(input.value));
    replaced(at, text(own));
  });
  return el("div", { class: "row wide" }, el("span", {}, label), out, input);
}

function item(layer, at, count) {
  const own = parts(layer);
  const title = own.kind === "text" ? own.heads.join(", ") : words(own.heads[0].replace(/-[0-9a-f]{8}\.[a-z0-9]+$/, "").replaceAll("-", " "));
  const move = (by) => {
    const list = layers();
    [list[at], list[at + by]] = [list[at + by], list[at]];
    put(list);
  };
  return el("li", { class: "layer" },
    el("p", { class: "layer-title" }, el("b", {}, title), el("small", {}, ({ text: "name plate", video: "video" })[own.kind] ?? "picture")),
    el("div", { class: "layer-tools" },
      anchor(at, own),
      el("button", { type: "button", class: "icon", "aria-label": `Move ${title} down`, disabled: at === 0, onclick: () => move(-1) }, "↓"),
      el("button", { type: "button", class: "icon", "aria-label": `Move ${title} up`, disabled: at === count - 1, onclick: () => move(1) }, "↑"),
      el("button", { type: "button", class: "icon", "aria-label": `Remove ${title}`, onclick: () => put(layers().filter((_, k) => k !== at)) }, "×")),
    share(at, own, "width", "Width", own.kind === "text" ? 0.3 : 0.5),
    share(at, own, "opacity", "Opacity", 1));
}

let drawnFor = "";

function render(list) {
  const key = JSON.stringify(list);
  if (key === drawnFor || byId("layers").contains(document.activeElement) && underway("layers")) return;
  const same = JSON.stringify(list.map((each) => parts(each).heads)) === JSON.stringify(JSON.parse(drawnFor || "[]").map((each) => parts(each).heads));
  drawnFor = key;
  if (same && document.activeElement?.type === "range" && byId("layers").contains(document.activeElement)) return;
  byId("layers").replaceChildren(...list.map((each, at) => item(each, at, list.length)));
}

function pictures() {
  const found = [...media()];
  const select = byId("layer-picture");
  const key = found.map(({ name }) => name).join();
  if (select.dataset.key === key) return;
  select.dataset.key = key;
  select.replaceChildren(el("option", { value: "" }, found.length ? "Choose an upload" : "Upload one first"),
    ...found.sort((a, b) => b.transparent - a.transparent).map(({ name }) =>
      el("option", { value: name }, words(name.replace(/-[0-9a-f]{8}(?=\.)/, "").replaceAll("-", " ")))));
}

export function startLayers() {
  byId("add-plate").addEventListener("submit", (event) => {
    event.preventDefault();
    const lines = [plain(byId("plate-name").value), plain(byId("plate-line").value)].filter(Boolean);
    if (!lines.length) return;
    put([...layers(), text({ kind: "text", heads: lines, options: {} })]);
    event.target.reset();
  });
  byId("layer-picture").addEventListener("change", (event) => {
    const name = event.target.value;
    if (name) put([...layers(), `${name.endsWith(".mp4") ? "video" : "image"}:${name},width=0.5,anchor=bottom`]);
    event.target.value = "";
  });
  byId("layer-picture").addEventListener("focus", pictures);
  onState((now) => {
    if (!now) return;
    pictures();
    if (!underway("layers")) render(now.scene.layers ?? []);
  });
}
