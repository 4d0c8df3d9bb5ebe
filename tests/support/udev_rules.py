"""Runs udev rules over a made-up device: enough of udev(7) for the rule that vcam ships, and an error for the rest.

The real udev runs the same file in the virtual machine's tests; this one makes every case cheap.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path

_TOKEN = re.compile(r'\s*([A-Z_]+)(?:\{([^}]*)\})?\s*(==|!=|\+=|:=|=)\s*"([^"]*)"\s*(?:,|$)')
_MATCHES = ("==", "!=")


@dataclass
class UdevDevice:
    """An event's device. attributes: its files in /sys; parents: those of its parents, the nearest first."""

    action: str = "add"
    subsystem: str = "video4linux"
    kernel: str = "video0"
    attributes: dict[str, str] = field(default_factory=dict)
    parents: tuple[tuple[str, dict[str, str]], ...] = ()
    properties: dict[str, str] = field(default_factory=dict)
    tags: set[str] = field(default_factory=set)
    links: list[str] = field(default_factory=list)
    options: list[str] = field(default_factory=list)


def run_rules(path: Path, device: UdevDevice) -> UdevDevice:
    """Apply all rules in their order; returns the device."""
    skip_to = None
    for tokens in _rules(path):
        labels = [value for key, _, _, value in tokens if key == "LABEL"]
        if skip_to is not None and skip_to not in labels:
            continue
        skip_to = _apply(tokens, device)
    assert skip_to is None, f"GOTO leads nowhere: {skip_to}"
    return device


def _rules(path: Path) -> Iterator[list[tuple[str, str, str, str]]]:
    for line in path.read_text().splitlines():
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        tokens, at = [], 0
        while at < len(line):
            found = _TOKEN.match(line, at)
            assert found is not None, f"not a rule: {line[at:]}"
            tokens.append((found[1], found[2] or "", found[3], found[4]))
            at = found.end()
        yield tokens


def _apply(tokens: list[tuple[str, str, str, str]], device: UdevDevice) -> str | None:
    """The label to go to, if the rule matched and has one."""
    parent: dict[str, str] = {}
    above = [token for token in tokens if token[0] in ("SUBSYSTEMS", "ATTRS")]
    if above:
        found = [attributes for name, attributes in device.parents if _parent_matches(above, name, attributes)]
        if not found:
            return None
        parent = found[0]
    goto = None
    for key, name, operator, pattern in tokens:
        if operator in _MATCHES:
            if key not in ("SUBSYSTEMS", "ATTRS") and not _compare(_own(key, name, device), operator, pattern):
                return None
        elif key == "GOTO":
            goto = pattern
        elif key != "LABEL":
            _assign(key, name, operator, _substituted(pattern, device, parent), device)
    return goto


def _parent_matches(tokens: list[tuple[str, str, str, str]], subsystem: str, attributes: dict[str, str]) -> bool:
    values = [(subsystem if key == "SUBSYSTEMS" else attributes.get(name)) for key, name, _, _ in tokens]
    return all(_compare(value, token[2], token[3]) for value, token in zip(values, tokens, strict=True))


def _own(key: str, name: str, device: UdevDevice) -> str | None:
    if key == "ENV":
        return device.properties.get(name, "")
    if key == "ATTR":
        return device.attributes.get(name)
    return {"ACTION": device.action, "SUBSYSTEM": device.subsystem, "KERNEL": device.kernel}[key]


def _compare(value: str | None, operator: str, pattern: str) -> bool:
    """An attribute that is not there matches nothing, neither with == nor with !=."""
    return value is not None and any(fnmatchcase(value, each) for each in pattern.split("|")) is (operator == "==")


def _substituted(text: str, device: UdevDevice, parent: dict[str, str]) -> str:
    text = re.sub(r"\$env\{(\w+)\}", lambda found: device.properties.get(found[1], ""), text)
    text = re.sub(r"\$attr\{(\w+)\}", lambda found: device.attributes.get(found[1]) or parent.get(found[1]) or "", text)
    assert "$" not in text, f"an unknown substitution: {text}"
    return text


def _assign(key: str, name: str, operator: str, value: str, device: UdevDevice) -> None:
    if key == "ENV" and operator == "+=":
        device.properties[name] = f"{device.properties.get(name, '')} {value}".strip()
    elif key == "ENV":
        device.properties[name] = value
    elif key == "TAG" and operator == "+=":
        device.tags.add(value)
    elif key == "SYMLINK" and operator == "+=":
        device.links += value.split()
    elif key == "OPTIONS" and operator == "+=":
        device.options.append(value)
    else:
        raise AssertionError(f"unknown here: {key}{operator}")
