"""Languages as people and programs name them: one spelling per language, and what to try next."""

import re
from typing import Final

TAG_CHARS_MAX: Final = 35
"""The longest tag worth reading (RFC 5646, section 4.4.1)."""

_TAG: Final = re.compile(
    r"([a-z]{2,3})(?:[-_]([a-z]{4}))?(?:[-_]([a-z]{2}))?(?:[-_.@].*)?", re.IGNORECASE | re.ASCII
)


def language_tag(written: str) -> str | None:
    """The language in its one spelling: `de_at.UTF-8` is `de-AT`. None: it names no language.

    Language, script and country are kept; what is finer than that is left out.
    """
    found = _TAG.fullmatch(written.strip()[:TAG_CHARS_MAX])
    if found is None:
        return None
    language, script, country = found.groups()
    parts = (language.lower(), script and script.title(), country and country.upper())
    return "-".join(part for part in parts if part)


def wider_tags(tag: str) -> tuple[str, ...]:
    """The tag, and what is asked for when it is not there: `de-AT`, then `de`."""
    parts = tag.split("-")
    return tuple("-".join(parts[:count]) for count in range(len(parts), 0, -1))
