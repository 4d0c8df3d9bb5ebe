// Camera, engine and quality: a change opens them anew, under the card. And what the camera itself can be told.

import { get, patch, path, post, Sender } from "./api.js";
import { byId, el, notice, words } from "./dom.js";
import { onState } from "./state.js";

const QUALITIES = { fast: "Fast", balanced: "Balanced", high: "High", ultra: "Ultra" };
const ENGINES = {
  auto: "Best there is", tensorrt: "TensorRT", "tensorrt-rtx": "TensorRT-RTX", openvino: "OpenVINO",
  onnxruntime: "ONNX Runtime", plate: "Plate (no network)",
};

async function attempt(work) {
  try {
    return await work();
  } catch (error) {
    notice(error.message, error.hint);
    return null;
  }
}

function picker(key, title, choices, chosen) {
  const id = `setup-${key}`;
  const input = el("select", { id }, choices.map(({ value, label, problem }) =>
    el("option", { value, disabled: Boolean(problem), selected: value === chosen, title: problem ?? "" },
      problem ? `${label}: cannot run here` : label)));
  input.addEventListener("change", async () => {
    input.disabled = true;
    await attempt(() => patch(path("setup"), { [key]: input.value }));
    await startSetup.refresh();
  });
  return el("div", { class: "row" }, el("label", { for: id }, title), input);
}

function learnButton(engine) {
  if (engine !== "plate") return null;
  const button = el("button", { type: "button" }, "Learn the empty room");
  button.addEventListener("click", async () => {
    if (await attempt(() => post(path("learn-plate")))) {
      notice("Learning the room", "Step out of the picture for a few seconds.", "good");
    }
  });
  return button;
}

function render(told, running) {
  byId("setup").replaceChildren(
    picker("input", "Camera", told.inputs.map(({ input, label }) => ({ value: input, label })), told.input),
    picker("engine", "Engine", told.engines.map(({ engine, problem }) => ({ value: engine, label: ENGINES[engine] ?? engine, problem })), told.engine),
    picker("quality", "Quality", told.qualities.map((value) => ({ value, label: QUALITIES[value] ?? words(value) })), told.quality),
    ...[learnButton(running)].filter(Boolean));
}

export function startSetup() {
  let running = "";
  startSetup.refresh = async () => {
    const told = await attempt(() => get(path("setup")));
    if (told) render(told, running);
    await camera();
  };
  let seen = null;
  let refused = null;
  onState((now) => {
    const problem = now ? now.refused?.problem ?? null : refused;
    if (problem !== null && problem !== refused) notice(`Camera and engine are as before: ${problem}`, now.refused.hint);
    refused = problem;
    running = now?.engine?.engine ?? "";
    const key = now ? JSON.stringify([now.source, running, now.camera_up]) : null;
    if (key !== null && key !== seen) startSetup.refresh();
    seen = key;
  });
}

const sender = new Sender(path("camera"), {
  done: (told) => follow(told),
  failed: (error) => {
    notice(error.message, error.hint);
    camera();
  },
});

let rows = {};

function cameraRow(each) {
  const id = `camera-${each.key}`;
  let input;
  let out = null;
  let show = () => {};
  if (each.kind === "boolean") {
    input = el("input", { type: "checkbox", id, role: "switch" });
    input.addEventListener("change", () => sender.send({ [each.key]: input.checked ? 1 : 0 }));
  } else if (each.kind === "menu") {
    input = el("select", { id }, each.choices.map(({ value, label }) => el("option", { value }, label)));
    input.addEventListener("change", () => sender.send({ [each.key]: Number(input.value) }));
  } else {
    out = el("output", { for: id });
    input = el("input", { type: "range", id, min: each.minimum, max: each.maximum, step: each.step });
    show = () => {
      out.textContent = input.value;
      input.style.setProperty("--share", `${((input.value - each.minimum) / (each.maximum - each.minimum || 1)) * 100}%`);
    };
    input.addEventListener("input", () => {
      show();
      sender.send({ [each.key]: Number(input.value) });
    });
  }
  const element = el("div", { class: `row ${out ? "wide" : ""}` }, el("label", { for: id }, each.label), out, input);
  const set = (told) => {
    if (sender.holds(each.key)) return;
    input.disabled = !told.active;
    if (each.kind === "boolean") input.checked = Boolean(told.value);
    else input.value = told.value;
    show();
  };
  return { element, set };
}

function follow(told) {
  for (const each of told.controls) rows[each.key]?.set(each);
}

async function camera() {
  const told = await get(path("camera")).catch(() => null);
  const box = byId("camera");
  const key = told ? JSON.stringify([told.camera, told.controls.map((each) => each.key)]) : "";
  if (box.dataset.key !== key) {
    box.dataset.key = key;
    rows = Object.fromEntries((told?.controls ?? []).map((each) => [each.key, cameraRow(each)]));
    const reset = el("button", { type: "button", class: "quiet" }, "Reset the camera");
    reset.addEventListener("click", () => {
      const usable = told.controls.filter(({ value, default: usual }) => value !== null && usual !== null);
      sender.send(Object.fromEntries(usable.map(({ key: name, default: usual }) => [name, usual])));
    });
    box.replaceChildren(...(told?.controls.length
      ? [el("details", { class: "group" }, el("summary", {}, `Controls of ${told.camera}`),
          el("div", { class: "rows" }, Object.values(rows).map(({ element }) => element), reset))]
      : []));
  }
  if (told) follow(told);
}
