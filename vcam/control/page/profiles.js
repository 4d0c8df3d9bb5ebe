// Scenes by name.

import { get, path, post, put, remove } from "./api.js";
import { byId, el, notice } from "./dom.js";
import { onState, sceneIs, state } from "./state.js";

let profiles = [];
let drawnFor = "";

async function attempt(work) {
  try {
    return await work();
  } catch (error) {
    notice(error.message, error.hint);
    return null;
  }
}

async function apply(name) {
  const scene = await attempt(() => post(path("profiles", name, "apply")));
  if (scene) sceneIs(scene);
}

function item({ name, problem }, current) {
  return el("li", {},
    el("button", {
      type: "button", class: "profile", "aria-pressed": String(name === current), disabled: Boolean(problem),
      title: problem ?? "", onclick: () => apply(name),
    }, name),
    el("button", {
      type: "button", class: "icon away", "aria-label": `Delete profile ${name}`,
      onclick: async () => {
        await attempt(() => remove(path("profiles", name)));
        await refresh();
      },
    }, "×"));
}

function render(current) {
  const key = JSON.stringify([profiles, current]);
  if (key === drawnFor) return;
  drawnFor = key;
  byId("profiles").replaceChildren(...profiles.map((each) => item(each, current)));
}

async function refresh() {
  const told = await attempt(() => get(path("profiles")));
  if (told) profiles = told.profiles;
  render(state()?.scene.profile ?? null);
}

/** The one after the one in effect. */
export function nextProfile() {
  const good = profiles.filter(({ problem }) => !problem);
  if (!good.length) return;
  const at = good.findIndex(({ name }) => name === state()?.scene.profile);
  apply(good[(at + 1) % good.length].name);
}

export function startProfiles() {
  byId("save-profile").addEventListener("submit", async (event) => {
    event.preventDefault();
    const input = byId("profile-name");
    const name = input.value.trim();
    if (!(await attempt(() => put(path("profiles", name), {})))) return;
    input.value = "";
    await apply(name);
    await refresh();
    notice(`Saved as ${name}`, "", "good");
  });
  let connected = false;
  onState((now) => {
    if (now && !connected) refresh();
    connected = Boolean(now);
    render(now?.scene.profile ?? null);
  });
}
