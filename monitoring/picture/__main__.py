"""Draw the dashboards from live data. Usage: python -m monitoring.picture URL FOLDER [APPLIANCE [MINUTES]]

URL: of a Prometheus that scrapes with our rules, such as http://127.0.0.1:9090. APPLIANCE: the one that *Camera* shows.
Writes FOLDER/dashboard-camera.png and dashboard-fleet.png.
"""

import sys
import time
from io import BytesIO
from pathlib import Path

from PIL import Image

from monitoring.dashboards.__main__ import FOLDER as BOARDS
from monitoring.picture.board import read_board
from monitoring.picture.canvas import DPI, Canvas
from monitoring.picture.panels import draw
from monitoring.picture.prometheus import Prometheus, Span

_POINTS = 180
_RATE_INTERVAL = "20s"
"""What Grafana makes of $__rate_interval: four scrapes."""


def picture(name: str, prometheus: Prometheus, appliance: str, span: Span) -> bytes:
    """A dashboard as PNG."""
    variables = {"appliance": appliance, "site": ".*", "__rate_interval": _RATE_INTERVAL}
    title, panels = read_board(BOARDS / f"{name}.json", variables)
    canvas = Canvas(title, max(y + height for _, y, _, height in (panel.place for panel in panels)), span)
    for panel in panels:
        draw(canvas, panel, prometheus)
    drawn, small = BytesIO(), BytesIO()
    canvas.figure.savefig(drawn, format="png", dpi=DPI)
    Image.open(drawn).convert("RGB").quantize(256, dither=Image.Dither.NONE).save(small, "png", optimize=True)
    return small.getvalue()


def main(url: str, folder: Path, appliance: str, minutes: float) -> None:
    now_s = time.time()
    step_s = max(5.0, minutes * 60 / _POINTS)
    span = Span(now_s - minutes * 60, now_s, step_s)
    for name, shown in (("camera", appliance), ("fleet", ".*")):
        (folder / f"dashboard-{name}.png").write_bytes(picture(name, Prometheus(url), shown, span))


if __name__ == "__main__":
    url, folder, appliance, minutes = (*sys.argv[1:], *("this-pc", "15")[len(sys.argv) - 3 :])
    main(url, Path(folder), appliance, float(minutes))
