"""Filling templates of letters: the product's own layout, and what stores write themselves.

A store's template is a text of somebody else's that runs in our process. It gets a small part of
the language (values, conditions, loops that are not nested), a few filters, nothing to call, and
an end to its output; what goes beyond that is refused when the store is applied.
"""

from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any, Final, cast

from jinja2 import Environment, FileSystemLoader, StrictUndefined, TemplateError, nodes
from jinja2.runtime import LoopContext
from jinja2.sandbox import ImmutableSandboxedEnvironment

from openorders.usecases.templates import OUTPUT_CHARS_MAX, TEMPLATE_CHARS_MAX, TemplateRefused

_FILTERS: Final = ("capitalize", "default", "e", "escape", "length", "lower", "trim", "upper")
_TESTS: Final = ("defined", "none")
_ALLOWED: Final[tuple[type[nodes.Node], ...]] = (
    nodes.Template,
    nodes.Output,
    nodes.TemplateData,
    nodes.Name,
    nodes.Const,
    nodes.Getattr,
    nodes.Filter,
    nodes.Test,
    nodes.If,
    nodes.For,
    nodes.CondExpr,
    nodes.Compare,
    nodes.Operand,
    nodes.And,
    nodes.Or,
    nodes.Not,
    nodes.Concat,
)
"""No assignment, no arithmetic, no call: what is written cannot grow by being repeated."""

JOINED_MAX: Final = 20
"""How many values one `~` may join: what it makes is whole before its length is looked at."""

_OF_A_LOOP: Final = ("first", "index", "last")


def _blank_for_none(value: object) -> object:
    return "" if value is None else value


class _Sandbox(ImmutableSandboxedEnvironment):
    """Only what we put into a letter can be looked at: fields, never methods."""

    def is_safe_attribute(self, obj: object, attr: str, value: object) -> bool:
        if isinstance(obj, LoopContext):
            return attr in _OF_A_LOOP
        known = getattr(cast("Any", type(obj)), "__struct_fields__", ())
        return attr in known and not callable(value)

    def wrap_str_format(self, value: object) -> None:
        """Not even the library's own safe formatting: there is nothing to call."""

    def is_safe_callable(self, obj: object) -> bool:  # noqa: ARG002 - as the library declares it
        return False


def _sandbox(*, autoescape: bool) -> _Sandbox:
    sandbox = _Sandbox(
        autoescape=autoescape,
        undefined=StrictUndefined,
        keep_trailing_newline=True,
        finalize=_blank_for_none,
    )
    tools = cast("Any", sandbox)
    tools.globals = {}
    tools.filters = {name: tools.filters[name] for name in _FILTERS}
    tools.tests = {name: tools.tests[name] for name in _TESTS}
    return sandbox


_LAYOUT: Final = Path(__file__).parent / "letter_layout"
_text_layout: Final = Environment(
    loader=FileSystemLoader(_LAYOUT),
    autoescape=False,  # noqa: S701 - plain text
    undefined=StrictUndefined,
    auto_reload=False,
    trim_blocks=True,
    lstrip_blocks=True,
    keep_trailing_newline=True,
)
_html_layout: Final = _text_layout.overlay(autoescape=True)
_PLAIN: Final = _sandbox(autoescape=False)
_HTML: Final = _sandbox(autoescape=True)


def lay_out(values: dict[str, Any]) -> tuple[str, str]:
    """The product's own letter, as plain text and as HTML."""
    text = _text_layout.get_template("letter.txt").render(values)
    return text, _html_layout.get_template("letter.html").render(values)


def render(template: str, values: dict[str, Any], *, html: bool) -> str:
    """A store's own template. Raises `TemplateRefused`."""
    try:
        return _limited(_compiled(template, html=html).generate(values))
    except TemplateRefused:
        raise
    except TemplateError as error:
        raise TemplateRefused(_place(error)) from error
    except Exception as error:  # a template's author can bring about any of them
        raise TemplateRefused(f"fails: {type(error).__name__}") from error


@lru_cache(maxsize=256)
def _compiled(template: str, *, html: bool) -> Any:  # noqa: ANN401 - the library's class for it is private to an environment
    if len(template) > TEMPLATE_CHARS_MAX:
        raise TemplateRefused(f"must have at most {TEMPLATE_CHARS_MAX} characters")
    environment = _HTML if html else _PLAIN
    _refuse_more(environment.parse(template))
    return environment.from_string(template)


def _refuse_more(tree: nodes.Template) -> None:
    for node in _below(tree):
        if not isinstance(node, _ALLOWED):
            kind = type(node).__name__.lower()
            raise TemplateRefused(f"line {node.lineno}: {kind} is not allowed")
        if isinstance(node, nodes.Concat):
            joined = sum(isinstance(inner, nodes.Name) for inner in _below(node))
            if joined > JOINED_MAX:
                raise TemplateRefused(f"line {node.lineno}: ~ joins at most {JOINED_MAX} values")
        if isinstance(node, nodes.For):
            nested = any(isinstance(inner, nodes.For) for inner in _below(node))
            if nested or node.recursive:
                raise TemplateRefused(f"line {node.lineno}: a loop must not hold another one")


def _below(node: nodes.Node) -> Iterator[nodes.Node]:
    """What is inside, at every depth."""
    for inner in node.iter_child_nodes():
        yield inner
        yield from _below(inner)


def _limited(pieces: Iterator[str]) -> str:
    written: list[str] = []
    length = 0
    for piece in pieces:
        length += len(piece)
        if length > OUTPUT_CHARS_MAX:
            raise TemplateRefused(f"writes more than {OUTPUT_CHARS_MAX} characters")
        written.append(piece)
    return "".join(written)


def _place(error: TemplateError) -> str:
    line = getattr(error, "lineno", None)
    where = f"line {line}: " if line else ""
    return f"{where}{error.message or type(error).__name__}"
