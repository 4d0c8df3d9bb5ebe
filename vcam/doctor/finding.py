"""What a check found."""

from dataclasses import dataclass
from enum import StrEnum


class Verdict(StrEnum):
    """WARN: it works, but could work better. FAIL: no camera. SKIP: it does not matter here, or cannot be told."""

    OK = "ok"
    WARN = "warn"
    FAIL = "fail"
    SKIP = "skip"


@dataclass(frozen=True, slots=True)
class Finding:
    """check: what was looked at. facts: what is so. remedy: what to paste or do; empty when nothing is to be done."""

    check: str
    verdict: Verdict
    facts: str
    remedy: str = ""


def ok(check: str, facts: str, remedy: str = "") -> Finding:
    """With a remedy: something that could be better, and is nobody's fault."""
    return Finding(check, Verdict.OK, facts, remedy)


def warn(check: str, facts: str, remedy: str) -> Finding:
    return Finding(check, Verdict.WARN, facts, remedy)


def fail(check: str, facts: str, remedy: str) -> Finding:
    return Finding(check, Verdict.FAIL, facts, remedy)


def skip(check: str, facts: str, remedy: str = "") -> Finding:
    return Finding(check, Verdict.SKIP, facts, remedy)
