"""Each alert leads to a place in the README that says what to do."""

import re

from tests.monitoring.test_config import ROOT, rules


def anchors(text: str) -> set[str]:
    """Of a Markdown file's headings, as GitHub makes them."""
    headings = re.findall(r"(?m)^#+ (.+)$", text)
    return {re.sub(r"[^\w\- ]", "", heading).strip().lower().replace(" ", "-") for heading in headings}


def test_each_alert_leads_to_its_place_in_the_readme() -> None:
    links = {rule["alert"]: rule["annotations"]["runbook_url"] for rule in rules() if "alert" in rule}
    assert {name: link for name, link in links.items() if link != f"README.md#{name.lower()}"} == {}
    found = anchors((ROOT / "README.md").read_text(encoding="utf-8"))
    assert {link.partition("#")[2] for link in links.values()} - found == set()
