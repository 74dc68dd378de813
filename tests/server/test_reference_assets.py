"""The files that pages are made of: ours or unchanged, and nothing from elsewhere."""

import hashlib
import re
from pathlib import Path

import pytest

from openorders.pages.asset_files import FILES, load
from openorders.pages.site import PAGE_POLICY, REFERENCE_POLICY, reference_page

VENDORED = FILES["swagger-ui.css"].parent
SUM = re.compile(r"^ {4}([0-9a-f]{64}) {2}(\S+)$", re.MULTILINE)


def test_the_vendored_renderer_is_unchanged_and_its_licence_is_there():
    written = {
        name: digest
        for digest, name in SUM.findall((VENDORED / "ORIGIN.md").read_text(encoding="utf-8"))
    }
    found = {
        path.name: hashlib.sha256(path.read_bytes()).hexdigest()
        for path in VENDORED.iterdir()
        if path.name != "ORIGIN.md"
    }
    assert found == written
    assert {"LICENSE", "NOTICE"} <= set(found)


@pytest.mark.parametrize("name", sorted(set(FILES) - {"swagger-ui-bundle.js"}))
def test_no_file_of_a_page_names_another_server(name):
    text = load(name).content.decode()
    addresses = re.findall(r"(?:https?:)?//[\w.-]+\.\w+", text)
    assert set(addresses) <= {"http://www.w3.org"}, addresses


def test_pages_may_load_from_this_server_only():
    for policy in (PAGE_POLICY, REFERENCE_POLICY):
        sources = re.findall(r"(?:https?:|wss?:|\*|unsafe-\w+)", policy)
        assert sources == []
        assert policy.startswith("default-src 'none';")


def test_a_reference_page_names_its_parts_and_no_other_server():
    body, headers = reference_page("Commerce", "/")
    links = re.findall(rb'(?:src|href)="([^"]+)"', body)
    assert all(not link.startswith((b"http", b"//")) for link in links)
    names = {Path(link.decode()).name for link in links if link.startswith(b"/assets/")}
    assert names <= set(FILES)
    assert dict(headers)["Content-Security-Policy"] == REFERENCE_POLICY
