"""A language has one spelling, and something wider to fall back on."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openorders.domain.language import language_tag, wider_tags


@pytest.mark.parametrize(
    ("written", "tag"),
    [
        ("de", "de"),
        ("DE", "de"),
        ("de_AT.UTF-8", "de-AT"),
        ("de-1996", "de"),
        ("pt-br", "pt-BR"),
        ("zh_hant_tw", "zh-Hant-TW"),
        ("sr-latn", "sr-Latn"),
        (" en-US ", "en-US"),
        ("en-US-x-private", "en-US"),
        ("", None),
        ("C", None),
        ("*", None),
        ("English", None),
        ("d\u00e9", None),
        ("12", None),
    ],
)
def test_a_language_has_one_spelling(written: str, tag: str | None) -> None:
    assert language_tag(written) == tag


@given(st.text(max_size=60))
def test_a_spelling_is_its_own(written: str) -> None:
    tag = language_tag(written)
    assert tag is None or language_tag(tag) == tag


def test_what_is_tried_next_is_wider() -> None:
    assert wider_tags("zh-Hant-TW") == ("zh-Hant-TW", "zh-Hant", "zh")
    assert wider_tags("de") == ("de",)
