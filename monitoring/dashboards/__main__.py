"""Write Grafana's dashboards as JSON. Usage: python -m monitoring.dashboards [FOLDER]

A test holds the files of the repository to this program.
"""

import json
import sys
from pathlib import Path

from grafana_foundation_sdk.builders.dashboard import Dashboard
from grafana_foundation_sdk.cog.encoder import JSONEncoder

from monitoring.dashboards.boards import camera, fleet

FOLDER = Path(__file__).parents[1] / "grafana/dashboards"


def main(folder: Path) -> None:
    for name, board in (("camera", camera()), ("fleet", fleet())):
        (folder / f"{name}.json").write_text(written(board) + "\n", encoding="utf-8")


def written(board: Dashboard) -> str:
    """The dashboard as Grafana's own types want it."""
    plain = json.loads(JSONEncoder().encode(board.build()))
    for variable in plain["templating"]["list"]:
        for key in ("auto", "auto_count", "auto_min"):  # the builders give all variables what an interval may have
            variable.pop(key, None)
    return json.dumps(plain, sort_keys=True, indent=2)


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else FOLDER)
