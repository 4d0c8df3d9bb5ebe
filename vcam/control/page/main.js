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
for (const start of [startBackgrounds, startSliders]) {
  start().catch((error) => notice(error.message, error.hint ?? ""));
}
