"""Templates for pages: escaped always, and an unknown name is an error, never nothing."""

from pathlib import Path
from typing import Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined

_environment: Final = Environment(
    loader=FileSystemLoader(Path(__file__).parent / "templates"),
    autoescape=True,
    undefined=StrictUndefined,
    auto_reload=False,
)


def render(template: str, **values: object) -> bytes:
    """The template's page."""
    return _environment.get_template(template).render(**values).encode()
