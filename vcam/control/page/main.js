// The page: each part starts by itself and follows the state.

import { startBackgrounds } from "./backgrounds.js";
import { notice } from "./dom.js";
import { startLayers } from "./layers.js";
import { startKeys } from "./keys.js";
import { startPreview } from "./preview.js";
import { startProfiles } from "./profiles.js";
import { startSetup } from "./setup.js";
import { startSliders } from "./sliders.js";
import { listen } from "./state.js";
import { startStatus } from "./status.js";

startKeys();
startStatus();
startPreview();
startProfiles();
startSetup();
startLayers();
listen();
sessionStorage.removeItem("tries");
startBackgrounds();
persist(startSliders);

/** Until vcam answers; a refusal is told. */
async function persist(start) {
  for (;;) {
    try {
      return await start();
    } catch (error) {
      if (error.status !== 0) return notice(error.message, error.hint ?? "");
      await new Promise((resolve) => setTimeout(resolve, 1000));
    }
  }
}
