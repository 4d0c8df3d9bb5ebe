"""Ask a running vcam whether it is well: ``python -m vcam.service.probe [URL]``. Exit code 0 only if it is.

For a container's health check, so nothing but the standard library is loaded.
"""

import sys
from urllib.error import HTTPError, URLError
from urllib.request import urlopen

DEFAULT_URL = "http://127.0.0.1:9435/healthz"
TIMEOUT_S = 2.0


def probe(url: str = DEFAULT_URL) -> tuple[bool, str]:
    """Whether vcam answers that pictures leave, and what it says (or why it says nothing)."""
    try:
        with urlopen(url, timeout=TIMEOUT_S) as answer:
            return True, answer.read().decode("utf-8", "replace")
    except HTTPError as error:
        return False, error.read().decode("utf-8", "replace")
    except (URLError, TimeoutError, ConnectionError) as error:
        return False, f"{url} does not answer: {error}"


if __name__ == "__main__":
    well, text = probe(*sys.argv[1:2])
    sys.stdout.write(text + "\n")
    sys.exit(0 if well else 1)
