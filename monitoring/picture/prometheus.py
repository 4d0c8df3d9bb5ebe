"""Asks a Prometheus over HTTP."""

import json
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

_TIMEOUT_S = 30.0


class PromqlError(ValueError):
    """Prometheus does not understand the query."""


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of time and the distance of its points; seconds since 1970."""

    begin_s: float
    end_s: float
    step_s: float


@dataclass(frozen=True, slots=True)
class Series:
    """One line. times_s, values: (n,) float64, without NaN."""

    labels: Mapping[str, str]
    times_s: NDArray[np.float64]
    values: NDArray[np.float64]

    @property
    def last(self) -> float:
        return float(self.values[-1])


class Prometheus:
    """The one at ``url``, such as http://127.0.0.1:9090."""

    def __init__(self, url: str) -> None:
        self._url = url.rstrip("/")

    def over(self, promql: str, span: Span) -> list[Series]:
        """The lines of a query over time. Raises PromqlError, OSError."""
        found = self._data("query_range", query=promql, start=span.begin_s, end=span.end_s, step=span.step_s)
        lines = [_series(line["metric"], line["values"]) for line in found["result"]]
        return [line for line in lines if line.values.size]

    def at(self, promql: str, time_s: float) -> list[Series]:
        """The values of a query at one time. Raises PromqlError, OSError."""
        found = self._data("query", query=promql, time=time_s)
        lines = [_series(line["metric"], [line["value"]]) for line in found["result"]]
        return [line for line in lines if line.values.size]

    def get(self, what: str) -> Any:
        """Any other part of the API: ``rules``, ``alerts``, ``targets``."""
        return self._data(what)

    def _data(self, what: str, **parameters: str | float) -> Any:
        url = f"{self._url}/api/v1/{what}?{urllib.parse.urlencode(parameters)}"
        try:
            with urllib.request.urlopen(url, timeout=_TIMEOUT_S) as answer:
                return json.load(answer)["data"]
        except urllib.error.HTTPError as error:
            with error:
                raise PromqlError(f"{json.load(error)['error']}: {parameters.get('query', what)}") from None


def _series(labels: Mapping[str, str], pairs: list[tuple[float, str]]) -> Series:
    times_s, values = np.array([[time_s, float(value)] for time_s, value in pairs]).T
    known = ~np.isnan(values)
    return Series(labels, times_s[known], values[known])
