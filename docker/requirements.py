"""Print what pip must install for some extras of vcam, without vcam itself.

Usage: requirements.py pyproject.toml EXTRA... An image keeps its layer of libraries while only vcam's code changes.
"""

import re
import sys
import tomllib
from pathlib import Path


def requirements(project: dict[str, object], extras: list[str]) -> list[str]:
    """Requirements of the project and of the extras; an extra may name others of its own project."""
    found = list(project["dependencies"])  # type: ignore[call-overload]
    for extra in extras:
        for line in project["optional-dependencies"][extra]:  # type: ignore[index]
            inner = re.fullmatch(r"vcam\[(.+)\]", line)
            found += requirements(project, inner[1].split(",")) if inner else [line]
    return list(dict.fromkeys(found))


if __name__ == "__main__":
    path, *wanted = sys.argv[1:]
    table = tomllib.loads(Path(path).read_text(encoding="utf-8"))["project"]
    sys.stdout.write("\n".join(requirements(table, wanted)) + "\n")
