"""Templates for pages: escaped always, and an unknown name is an error, never nothing."""

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from jinja2 import Environment


def render(template: str, **values: object) -> bytes:
    """The template's page."""
    return _environment().get_template(template).render(**values).encode()


@cache
def _environment() -> "Environment":
    # Here, since a server whose clients are programs shows no page.
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    return Environment(
        loader=FileSystemLoader(Path(__file__).parent / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        auto_reload=False,
    )
