"""The page's files: all that it names is there, nothing else is given, and its policy lets only them run."""

import re
from pathlib import Path

import pytest

import vcam.control
from tests.control.rig import AFAR, API, HERE, SECRET, Control

FILES = sorted((Path(vcam.control.__file__).parent / "page").iterdir())
TEXTS = {path.name: path.read_text() for path in FILES}


@pytest.fixture
def control(tmp_path: Path) -> Control:
    return Control(tmp_path, token=SECRET)


def test_every_file_is_given_by_its_name_as_what_it_is(control: Control) -> None:
    kinds = {".html": "text/html", ".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}
    for path in FILES:
        answer = control.client.get("/" if path.name == "index.html" else f"/{path.name}")
        assert answer.status_code == 200
        assert answer.headers["content-type"].partition(";")[0] == kinds[path.suffix]
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.content == path.read_bytes()


def test_the_policy_lets_nothing_run_but_files_of_ours(control: Control) -> None:
    policy = control.client.get("/").headers["content-security-policy"]
    rules = {name: values for name, *values in (rule.split() for rule in policy.split(";"))}
    assert rules["default-src"] == ["'none'"]
    assert rules["script-src"] == rules["style-src"] == rules["connect-src"] == ["'self'"]
    assert rules["frame-ancestors"] == rules["base-uri"] == rules["form-action"] == ["'none'"]
    assert "unsafe" not in policy
    assert "*" not in policy


def test_everything_that_the_page_names_is_there_and_nothing_is_fetched_from_elsewhere() -> None:
    for name, text in TEXTS.items():
        named = re.findall(r'(?:from|import) "\./([^"]+)"', text) if name.endswith(".js") else []
        named += re.findall(r'(?:src|href)="([^"#]+)"', text) if name.endswith(".html") else []
        files = {each for each in named if not each.startswith("api/v1/")}
        assert files <= set(TEXTS), name
        foreign = [url for url in re.findall(r"https?://[^\s\"'<>]+", text) if not url.startswith("http://www.w3.org/")]
        assert foreign == [], name


def test_no_text_can_become_markup() -> None:
    """What a file is called, or a profile, is shown as text; the policy refuses the rest, this says it sooner."""
    for name, text in TEXTS.items():
        assert not re.search(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(", text), name
    assert not re.search(r"<[^>]*\s(on\w+|style)=", TEXTS["index.html"])


@pytest.mark.parametrize("path", ["/", "/main.js", "/style.css", "/nothing.js"])
def test_the_page_is_guarded_as_the_api_is(control: Control, path: str) -> None:
    assert control.client_at(AFAR).get(path).status_code == 401
    assert control.client_at(HERE, "evil.example").get(path).status_code == 403
    assert control.client.get(path, headers={"origin": "http://evil.example"}).status_code == 403
    assert control.client.get(path, headers={"sec-fetch-site": "cross-site"}).status_code == 403


@pytest.mark.parametrize(
    "path",
    [
        "/index.html",
        "/../page.py",
        "/..%2fpage.py",
        "/%2e%2e/page.py",
        "/page/main.js",
        "//etc/passwd",
        "/main.js%00",
        "/MAIN.JS",
        "/page.py",
    ],
)
def test_nothing_but_those_files_is_given(control: Control, path: str) -> None:
    answer = control.client.get(path)
    assert answer.status_code == 404
    assert set(answer.json()) == {"problem", "hint"}


def test_the_page_cannot_be_written(control: Control) -> None:
    for method in ("POST", "PUT", "DELETE", "PATCH"):
        assert control.client.request(method, "/main.js").status_code == 405
    assert control.client.get("/?x=1").status_code == 422
    assert control.client.get(f"{API}/").status_code == 404
