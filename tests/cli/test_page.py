"""The documentation of the command line is what the commands say themselves."""

from pathlib import Path

from openorders.cli import page, program


def test_the_page_of_commands_is_current():
    written = (Path(__file__).parents[2] / page.PAGE).read_text(encoding="utf-8")
    assert written == page.as_markdown(), "run python -m openorders.cli.page"


def test_every_command_is_on_the_page():
    named = {command.split()[0] for command in page.COMMANDS}
    there = {name for name in program.complete() if not name.startswith("-")}
    assert named == there
    for group in named:
        inner = {name for name in program.complete()[group] if not name.startswith("-")}
        on_page = {
            command.split()[1] for command in page.COMMANDS if command.startswith(f"{group} ")
        }
        assert inner == on_page
