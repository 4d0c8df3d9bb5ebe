// The scene: one sender for all of its settings, and one place that knows what it is.

import { get, path, Sender } from "./api.js";
import { notice } from "./dom.js";
import { sceneIs } from "./state.js";

async function resync() {
  try {
    sceneIs(await get(path("scene")));
  } catch {
    // The banner says that there is no connection.
  }
}

const sender = new Sender(path("scene"), {
  done: sceneIs,
  failed: (error) => {
    notice(error.message, error.hint);
    resync();
  },
});

/** Change settings at once. */
export const change = (settings) => sender.send(settings);

/** Whether what vcam tells of this setting is older than what the user just did. */
export const underway = (key) => sender.holds(key);

let described = null;

/** All settings with their limits and defaults, from the API's own description. */
export async function settings() {
  if (!described) {
    const schemas = (await get(path("openapi.json"))).components.schemas;
    const defaults = schemas.SceneView.properties;
    described = Object.entries(schemas.SceneChange.properties).map(([key, told]) =>
      ({ key, ...resolved(told, schemas), default: defaults[key]?.default }));
  }
  return described;
}

/** A schema without its indirections. */
function resolved(schema, schemas) {
  const reference = schema.$ref ?? schema.allOf?.[0]?.$ref;
  return reference ? { ...schemas[reference.split("/").at(-1)], ...schema } : schema;
}
