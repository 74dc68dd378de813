"""The page of events names what there is."""

import re
from pathlib import Path

from openorders.domain.events import EventType

PAGE = Path(__file__).parents[2] / "docs" / "events.md"


def test_the_catalogue_has_a_row_for_each_type_and_for_no_other() -> None:
    rows = re.findall(r"^\| `(order\.\w+)` \|", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    assert sorted(rows) == sorted(one.value for one in EventType)
