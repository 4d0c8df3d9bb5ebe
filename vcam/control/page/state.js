// What is so now: the state that vcam tells by itself, and who wants to know of it.

import { path } from "./api.js";

const listeners = [];
let latest = null;

/** Be told of each state from now on; null while there is no connection. */
export function onState(listener) {
  listeners.push(listener);
  if (latest) listener(latest);
}

export const state = () => latest;

/** A scene that an answer told, before the next state does. */
export function sceneIs(scene) {
  if (latest) tell({ ...latest, scene });
}

const PATIENCE_MS = 4000;
let silence = 0;

function tell(now) {
  clearTimeout(silence);
  silence = 0;
  latest = now;
  for (const listener of listeners) listener(now);
}

let source = null;

function connect() {
  source = new EventSource(path("events"));
  source.addEventListener("state", (event) => tell(JSON.parse(event.data)));
  source.onerror = () => {
    silence ||= setTimeout(tell, latest ? PATIENCE_MS : 0, null);
    if (source.readyState === EventSource.CLOSED) {
      source = null;
      setTimeout(() => source || document.hidden || connect(), 2000);
    }
  };
}

/** Listen while somebody looks. */
export function listen() {
  document.addEventListener("visibilitychange", () => {
    if (document.hidden) {
      source?.close();
      source = null;
    } else if (!source) connect();
  });
  if (!document.hidden) connect();
}
