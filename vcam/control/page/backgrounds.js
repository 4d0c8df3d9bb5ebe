// Backgrounds as tiles: those that vcam draws, those that were uploaded, and a place to drop another.

import { get, path, remove, upload } from "./api.js";
import { byId, el, notice, words } from "./dom.js";
import { change, underway } from "./scene.js";
import { onState, state } from "./state.js";

const FITS = ["cover", "contain", "stretch", "tile"];
const KINDS = "image/jpeg,image/png,image/webp,image/gif,image/bmp,image/tiff,video/mp4,video/webm,video/x-matroska,video/quicktime";

let uploaded = [];
let configured = "";
let shown = [];

const MEDIA = ["image", "video", "slides"];

/** "image:beach.jpg,fit=contain" in its parts. Only what has the name of an option ends a name. */
function parts(background) {
  const [kind, rest = ""] = background.split(/:(.*)/s);
  if (!MEDIA.includes(kind)) return { kind, value: rest, options: {} };
  const options = [];
  let value = rest;
  for (let found; (found = value.match(/^(.*),(fit|anchor|every|fade)=([^,]*)$/s));) {
    value = found[1];
    options.unshift([found[2], found[3]]);
  }
  return { kind, value, options: Object.fromEntries(options) };
}

function text({ kind, value, options }) {
  const more = Object.entries(options).filter(([, chosen]) => chosen);
  return [`${kind}:${value}`, ...more.map(([key, chosen]) => `${key}=${chosen}`)].join(",");
}

function hex(color) {
  if (color.startsWith("#")) return color.toLowerCase();
  return `#${color.split(",").map((level) => Number(level).toString(16).padStart(2, "0")).join("")}`;
}

function askForRoom() {
  const dialog = byId("room-dialog");
  dialog.returnValue = "no";
  dialog.showModal();
  dialog.addEventListener("close", () => dialog.returnValue === "yes" && change({ background: "none" }), { once: true });
}

const DRAWN = [
  { kind: "blur", title: "Blur", choose: () => change({ background: "blur" }) },
  { kind: "green", title: "Green", choose: () => change({ background: "green" }) },
  { kind: "color", title: "Colour", choose: () => change({ background: "color" }) },
  { kind: "none", title: "None", note: "shows the room", choose: askForRoom },
];

function tile({ title, note, choose, look, chosen, remove: away }) {
  const button = el("button", { type: "button", class: "tile", "aria-pressed": String(chosen), onclick: choose }, look,
    el("span", { class: "name" }, title, note ? el("small", {}, note) : null));
  return el("li", {}, button,
    away ? el("button", { type: "button", class: "icon away", "aria-label": `Delete ${title}`, onclick: away }, "×") : null);
}

function drawnTile(each, now) {
  const look = el("span", { class: `look ${each.kind}` });
  const own = parts(now.background);
  if (each.kind === "color") look.style.background = hex(own.kind === "color" && own.value ? own.value : now.color);
  return tile({ ...each, look, chosen: own.kind === each.kind });
}

function uploadedTile(each, now) {
  const own = parts(now.background);
  const title = words(each.name.replace(/-[0-9a-f]{8}\.[a-z0-9]+$/, "").replaceAll("-", " "));
  const look = el("img", { class: "look", src: `${path("backgrounds", each.name)}?thumbnail=1`, alt: "", loading: "lazy" });
  return tile({
    title,
    note: each.kind === "video" ? "moving" : null,
    look,
    chosen: own.value === each.name,
    choose: () => change({ background: each.background }),
    remove: async () => {
      try {
        await remove(path("backgrounds", each.name));
      } catch (error) {
        notice(error.message, error.hint);
      }
      await refresh();
    },
  });
}

/** What the settings say, where no other tile says the same: a picture of theirs need be no upload. */
function configuredTile(now) {
  const own = parts(configured);
  const current = parts(now.background);
  const note = MEDIA.includes(own.kind) ? own.value : configured;
  const look = el("span", { class: `look ${own.kind}` });
  if (own.kind === "color") look.style.background = hex(own.value);
  const chosen = MEDIA.includes(own.kind) ? own.kind === current.kind && own.value === current.value : configured === now.background;
  return tile({ title: "As configured", note, look, chosen, choose: chooseConfigured });
}

const chooseConfigured = () => change({ background: configured });

/** `none` is only ever chosen after a question. */
const hasConfigured = () =>
  configured && ![...DRAWN.map(({ kind }) => kind), ...uploaded.map(({ background }) => background)].includes(configured);

function uploadTile() {
  const input = el("input", { type: "file", id: "file", class: "file", multiple: true, accept: KINDS });
  input.addEventListener("change", () => {
    take([...input.files]);
    input.value = "";
  });
  return el("li", {}, input, el("label", { class: "tile add", for: "file" },
    el("span", { class: "look" }, "+"), el("span", { class: "name" }, "Add", el("small", {}, "or drop it here"))));
}

let drawnFor = "";

function render(now) {
  const key = JSON.stringify([now.background, now.color, configured, uploaded.map(({ name }) => name)]);
  if (key === drawnFor) return;
  drawnFor = key;
  const focused = [...byId("tiles").querySelectorAll("button, input")].indexOf(document.activeElement);
  const own = hasConfigured() ? [{ choose: chooseConfigured }] : [];
  shown = [...DRAWN, ...own, ...uploaded.map((each) => ({ choose: () => change({ background: each.background }) }))];
  byId("tiles").replaceChildren(
    ...DRAWN.map((each) => drawnTile(each, now)), ...own.map(() => configuredTile(now)), ...uploaded.map((each) => uploadedTile(each, now)), uploadTile());
  if (focused >= 0) [...byId("tiles").querySelectorAll("button, input")][focused]?.focus();
}

/** What goes with the background that is chosen: strength, colour, fit. */
function options(now) {
  const box = byId("background-options");
  const own = parts(now.background);
  const kind = Object.keys(OPTIONS).includes(own.kind) ? own.kind : "";
  if (box.dataset.kind !== kind) {
    box.dataset.kind = kind;
    box.replaceChildren(...(kind ? [OPTIONS[kind]()] : []));
  }
  const input = box.querySelector("input, select");
  if (!input || underway("background") || underway("blur") || underway("color")) return;
  if (kind === "blur") input.value = now.blur ?? 50;
  else if (kind === "color") input.value = hex(own.value || now.color);
  else input.value = own.options.fit || "cover";
  input.dispatchEvent(new Event("told"));
}

function strength() {
  const out = el("output", { for: "blur" });
  const input = el("input", { type: "range", id: "blur", min: 1, max: 100, step: 1 });
  const show = () => {
    out.textContent = Math.round(input.value);
    input.style.setProperty("--share", `${((input.value - 1) / 99) * 100}%`);
  };
  input.addEventListener("told", show);
  input.addEventListener("input", () => {
    show();
    change({ blur: Number(input.value) });
  });
  return el("div", { class: "row wide" }, el("label", { for: "blur" }, "Strength"), out, input);
}

function picker() {
  const input = el("input", { type: "color", id: "color" });
  input.addEventListener("input", () => change({ background: "color", color: input.value }));
  return el("div", { class: "row" }, el("label", { for: "color" }, "Colour"), input);
}

function fit() {
  const input = el("select", { id: "fit" }, FITS.map((value) => el("option", { value }, words(value))));
  input.addEventListener("change", () => {
    const own = parts(state().scene.background);
    change({ background: text({ ...own, options: { ...own.options, fit: input.value } }) });
  });
  return el("div", { class: "row" }, el("label", { for: "fit" }, "Fit"), input);
}

const OPTIONS = { blur: strength, color: picker, image: fit, video: fit, slides: fit };

async function take(files) {
  for (const file of files) {
    const bar = el("progress", { max: 1, value: 0, "aria-label": `Sending ${file.name}` });
    const box = el("p", { class: "upload" }, el("span", {}, file.name), bar);
    byId("uploads").append(box);
    try {
      const told = await upload(file, (share) => {
        bar.value = share;
        if (share >= 1) bar.removeAttribute("value"); // it is being decoded now
      });
      await refresh();
      change({ background: told.background });
    } catch (error) {
      notice(error.message.includes(file.name) ? error.message : `${file.name}: ${error.message}`, error.hint);
    }
    box.remove();
  }
}

async function refresh() {
  try {
    ({ backgrounds: uploaded, configured } = await get(path("backgrounds")));
  } catch (error) {
    if (error.status) notice(error.message, error.hint);
  }
  if (state()) render(state().scene);
}

function dropping() {
  let depth = 0;
  const files = (event) => event.dataTransfer?.types.includes("Files");
  const mark = (by) => {
    depth = Math.max(0, depth + by);
    document.body.classList.toggle("dropping", depth > 0);
  };
  addEventListener("dragenter", (event) => files(event) && mark(1));
  addEventListener("dragleave", (event) => files(event) && mark(-1));
  addEventListener("dragover", (event) => files(event) && event.preventDefault());
  addEventListener("drop", (event) => {
    if (!files(event)) return;
    event.preventDefault();
    mark(-depth);
    take([...event.dataTransfer.files]);
  });
}

/** The n-th tile, as the keys 1 to 9 choose it. */
export const choose = (n) => shown[n]?.choose();

/** The pictures that were uploaded. */
export const media = () => uploaded;

export function startBackgrounds() {
  dropping();
  onState((now) => {
    if (!now) return;
    render(now.scene);
    options(now.scene);
  });
  let known = null;
  onState((now) => {
    if (!now) known = null;
    else if (known === null) {
      known = true;
      refresh();
    }
  });
}
