"""A store's template shows what it is given, and can do nothing else."""

import time
from typing import Any

import pytest

from openorders.domain.mails import Template
from openorders.usecases import letters, templates
from openorders.usecases.letters import LANGUAGES
from openorders.usecases.news import News
from openorders.usecases.templates import OUTPUT_CHARS_MAX, TEMPLATE_CHARS_MAX, TemplateRefused
from tests.usecases.sample_letters import a_store, an_order_for


@pytest.fixture(scope="module")
def values() -> dict[str, Any]:
    news = News(template=Template.SHIPPED)
    order = an_order_for(Template.SHIPPED)
    return letters._shown(order, a_store(), news, LANGUAGES["en"]).values()


def test_what_a_template_may_do(values: dict[str, Any]) -> None:
    template = (
        "{% if customer_name is defined and not pay_url %}{{ customer_name | upper }}{% endif %}"
        "{% for item in items %}{{ loop.index }}:{{ item.quantity }}{{ ' ' ~ item.name }};"
        "{% if loop.last %}.{% endif %}{% endfor %}"
        "{{ pay_url or 'none' }}{{ refund }}{{ items | length }}"
        "{{ 'many' if items | length > 1 else 'one' }}{# nobody sees this #}"
        "{{ labels.total }}"
    )
    written = templates.render(template, values, html=False)
    assert written == (
        "JANE SMITH1:3 Serenity Candle Large;2:1 Lavender Bath Bombs;.none2manyTotal"
    )


@pytest.mark.parametrize(
    "template",
    [
        "{{ ''.__class__ }}",
        "{{ store.__class__.__mro__ }}",
        "{{ items.__len__ }}",
        "{{ labels.__init__.__globals__ }}",
        "{{ items[0] }}",
        "{{ self }}{{ self._TemplateReference__context }}",
        "{{ ().__class__.__base__.__subclasses__() }}",
        "{{ cycler.__init__.__globals__.os }}",
        "{{ lipsum }}",
        "{{ range(10) }}",
        "{{ store.upper() }}",
        "{{ store.format }}",
        "{{ '%1000000000d' % 1 }}",
        "{{ 'x' * 1000000000 }}",
        "{{ 10 ** 10 }}",
        "{{ 'x' + 'y' }}",
        "{{ 'x' | center(1000000000) }}",
        "{{ 'x' | format(1) }}",
        "{{ items | join('x') }}",
        "{{ store | replace('', 'x') }}",
        "{{ store | safe }}",
        "{{ store | attr('__class__') }}",
        "{% set a = 'x' %}{% set a = a ~ a %}",
        "{% macro a() %}{{ a() }}{% endmacro %}{{ a() }}",
        "{% for a in items %}{% for b in items %}x{% endfor %}{% endfor %}",
        "{% for a in items recursive %}{{ loop(items) }}{% endfor %}",
        "{% include 'letter.txt' %}",
        "{% extends 'letter.txt' %}",
        "{% import 'letter.txt' as a %}",
        "{% block a %}{% endblock %}",
        "{% filter upper %}x{% endfilter %}",
        "{% with a = 1 %}{% endwith %}",
        "{% autoescape false %}{{ store }}{% endautoescape %}",
        "{{ nobody }}",
        "{{ nobody.at.all }}",
        "{{ 1 / 0 }}",
        "{% if %}",
        "{{ store",
        "{% for item in store_id %}{% endfor %}",
        "{{ " + "(" * 3000 + "1" + ")" * 3000 + " }}",
        "x" * (TEMPLATE_CHARS_MAX + 1),
        "{{ [1, 2] }}",
        "{{ {'a': 1} }}",
        "{{ items | map(attribute='name') }}",
        "{{ debug() }}",
    ],
)
@pytest.mark.parametrize("html", [True, False])
def test_what_a_template_may_not_do(values: dict[str, Any], template: str, html: bool) -> None:
    began = time.thread_time()
    with pytest.raises(TemplateRefused):
        templates.render(template, values, html=html)
    assert time.thread_time() - began < 2


def test_a_template_that_writes_too_much_is_stopped(values: dict[str, Any]) -> None:
    much = "{% for letter in store %}" + "x" * 15_000 + "{% endfor %}"
    assert len(values["store"]) * 15_000 > OUTPUT_CHARS_MAX
    with pytest.raises(TemplateRefused, match="writes more than"):
        templates.render(much, values, html=False)


def test_a_template_cannot_make_one_text_of_very_many(values: dict[str, Any]) -> None:
    twenty = " ~ ".join(["items"] * 20)
    assert templates.render("{{ " + twenty + " }}", values, html=False)
    for more in (f"{twenty} ~ items", f"({twenty}) ~ (items ~ items)"):
        with pytest.raises(TemplateRefused, match="line 1: ~ joins at most 20 values"):
            templates.render("{{ " + more + " }}", values, html=False)


def test_a_refusal_names_the_line(values: dict[str, Any]) -> None:
    with pytest.raises(TemplateRefused, match="line 2: "):
        templates.render("a\n{% if %}", values, html=False)
    with pytest.raises(TemplateRefused, match="line 3: call is not allowed"):
        templates.render("a\n\n{{ store() }}", values, html=False)


def test_values_are_escaped_in_html_alone(values: dict[str, Any]) -> None:
    hostile = {**values, "store": "<b>&"}
    assert templates.render("{{ store }}", hostile, html=True) == "&lt;b&gt;&amp;"
    assert templates.render("{{ store }}", hostile, html=False) == "<b>&"
    assert templates.render("{{ '<i>' ~ store }}", hostile, html=True) == "&lt;i&gt;&lt;b&gt;&amp;"
