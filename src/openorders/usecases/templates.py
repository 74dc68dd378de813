"""Templates of letters: how long they may be, and how they are filled.

What fills them (`sandboxed_templates.py`) is loaded with the first letter: a start writes none.
"""

from typing import Any, Final

TEMPLATE_CHARS_MAX: Final = 20_000
SUBJECT_CHARS_MAX: Final = 200
OUTPUT_CHARS_MAX: Final = 200_000
"""More than a letter of 500 lines takes, and less than mail clients cut off."""


class TemplateRefused(Exception):
    """The template cannot be used. The text is a predicate for whoever wrote it."""


def lay_out(values: dict[str, Any]) -> tuple[str, str]:
    """The product's own letter, as plain text and as HTML."""
    from openorders.usecases import sandboxed_templates

    return sandboxed_templates.lay_out(values)


def render(template: str, values: dict[str, Any], *, html: bool) -> str:
    """A store's own template, filled. Raises `TemplateRefused`."""
    from openorders.usecases import sandboxed_templates

    return sandboxed_templates.render(template, values, html=html)
