"""Rules of this code base that a machine can hold: arrows, sizes, one home for each dangerous
thing. Each rule is a test; each exception is a line with its reason.
"""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from openorders.store import queries

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "src" / "openorders"

FILE_LINES_MAX = 400
FUNCTION_LINES_MAX = 70

ARROWS = {
    # A room may import itself, what is named here (and below), and nothing else of ours.
    "domain": set(),
    "store": {"domain", "logs"},
    "gateways": {"domain", "logs"},
    "usecases": {"domain", "store", "gateways", "logs"},
    "asgi": set(),
    "contracts": {"asgi", "usecases", "domain"},
    "pages": {"asgi", "usecases", "domain", "logs"},
    "worker": {"usecases", "domain", "logs"},
    # What a worker is, apart from everybody else, so that it does not load what answers HTTP.
    "background": (
        {"installation", "logs", "services", "settings", "telemetry", "usecases", "worker"}
    ),
    "demo": {"usecases", "domain", "store", "gateways"},  # fills in bulk, like a use case
    "setting_values": set(),
    "settings": {"setting_values"},
    "logs": {"settings"},
    "telemetry": set(),
    "server": {"asgi", "logs", "settings", "telemetry"},
    "cli": {
        "app",
        "background",
        "services",
        "demo",
        "installation",
        "logs",
        "server",
        "settings",
        "telemetry",
        "usecases",
        "domain",
    },
    "__main__": {"cli"},
}
KNOWS_EVERYBODY = {"app", "dialects", "installation", "services", "web"}

LIBRARIES = {
    # Libraries that only these rooms, and those that know everybody, may import.
    "asyncpg": {"store"},
    "litestar": {"contracts", "pages", "server"},
    "uvicorn": {"server"},
    "odata_query": {"contracts"},
    "cyclopts": {"cli"},
    "structlog": {"logs"},  # loaded with the first line
    "jinja2": {"pages", "usecases"},  # pages, and the letters that a store words itself
    "stripe": {"gateways"},
    "aiohttp": {"gateways"},
    "aiosmtplib": {"gateways"},
}

NO_IO = {"asyncio", "http", "io", "os", "pathlib", "random", "socket", "subprocess", "threading"}
VALUES = {"msgspec", "msgspec.Struct", "msgspec.structs", "msgspec.structs.replace"}  # 0034

CLOCK_AT_HOME = {
    "usecases/context.py": "the one clock that use cases read",
    "services.py": "where that clock is put in",
    "server/listener.py": "the Date header, once a second",
}
ENVIRONMENT_AT_HOME = {
    "settings.py": "the one table of settings",
    "telemetry.py": "sets the one variable in which the metrics library looks for its folder",
}
FLOAT_ALLOWED = {
    "setting_values.py": "durations in seconds; never money",
    "settings.py": "durations in seconds; never money",
}
SQL_AT_HOME = {
    "store/conditions.py": "composes conditions from a whitelist",
    "store/criteria.py": "composes searches from conditions",
}

WITHOUT_STORE_ID = {
    # Statements that cannot mention a store, by file and name.
    "backlog.*": "counts what waits in all stores together, for the operator",
    "bulk.begin_ids_after": "sequences, which all stores share",
    "bulk.reserve_ids": "sequences, which all stores share",
    "bulk.take_turn": "a lock on the whole database",
    "catalogue.hold_stock_still": "locks a table, which has no part of one store",
    "catalogue.index_rows": "tells the planner about a table",
    "catalogue.tell_the_planner": "tells the planner about tables",
    "database.ping": "asks nothing",
    "database.weak_settings": "about the server",
    "embedded.*": "about the server: role and database",
    "events.await_step": "the one cursor of the feed, which all stores share",
    "events.has_news": "about the one cursor of the feed",
    "events.ring": "wakes processes",
    "events.take_cursor": "the one cursor of the feed, which all stores share",
    "exports.stream_at_once": "settings of the transaction",
    "exports.stream_in_parallel": "settings of the transaction",
    "figures.allow_time": "settings of the transaction",
    "figures.day_in_zone": "about the time zones of the server",
    "figures.find_work": "finds what to fold in all stores, for the one loop that does",
    "listing.plan_each_chunk": "settings of the transaction",
    "listing.plan_for_the_values": "settings of the transaction",
    "mails.announce": "wakes whoever hands mails over, of any store",
    "migrate.*": "about the schema as a whole",
    "reconciling.plan_for_the_values": "settings of the transaction",
    "reconciling.tell_the_planner": "tells the planner about tables",
    "reports.plan_for_the_values": "settings of the transaction",
    "webhook_endpoints.wake": "a notification",
}

BANNED_NAMES = {"utils", "util", "helpers", "helper", "misc", "manager", "common", "data", "info"}
BANNED_WORDS = re.compile(r"\b(TO" + r"DO|FIX" + r"ME|X" + r"XX)\b")
MACHINE_PATHS = re.compile(r"(?<![\w./-])/(ro" + r"ot|wo" + r"rk)(?=/|\b)(?!-)")
SQL_TEXT = re.compile(
    r"^\s*(select\s.+\sfrom\s|insert\s+into\s|update\s+\w+\s+set\s|delete\s+from\s"
    r"|(create|alter|drop)\s+(table|index|role|database)\s|with\s+\w+\s+as\s*\()",
    re.IGNORECASE | re.DOTALL,
)
NOT_OURS = {".git", ".venv", "node_modules", "build", "dist", "__pycache__"}
VENDORED = PACKAGE / "pages" / "assets"


@dataclass(frozen=True)
class Module:
    path: Path

    @property
    def name(self) -> str:
        return self.path.relative_to(PACKAGE).as_posix()

    @property
    def room(self) -> str:
        return self.path.relative_to(PACKAGE).parts[0].removesuffix(".py")

    @cached_property
    def tree(self) -> ast.Module:
        return ast.parse(self.path.read_text(encoding="utf-8"), filename=str(self.path))

    def imports(self) -> Iterator[tuple[int, str]]:
        """Every module imported anywhere in the file, also inside functions, with its line."""
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Import):
                yield from ((node.lineno, alias.name) for alias in node.names)
            elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
                yield node.lineno, node.module
                for alias in node.names:
                    yield node.lineno, f"{node.module}.{alias.name}"

    def calls(self) -> Iterator[tuple[int, str]]:
        """What is called, as dotted text, with its line."""
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Call):
                yield node.lineno, ast.unparse(node.func)


def modules() -> list[Module]:
    return [Module(path) for path in sorted(PACKAGE.rglob("*.py")) if VENDORED not in path.parents]


def python_files() -> list[Path]:
    folders = (PACKAGE, ROOT / "tests", ROOT / "bench")
    return [
        path
        for folder in folders
        for path in sorted(folder.rglob("*.py"))
        if VENDORED not in path.parents
    ]


def text_files() -> Iterator[tuple[Path, str]]:
    """Everything of ours that is text, as it would be committed."""
    for path in sorted(ROOT.rglob("*")):
        parts = path.relative_to(ROOT).parts
        hidden = any(part.startswith(".") and part not in {".ci", ".gitignore"} for part in parts)
        if hidden or NOT_OURS & set(parts) or VENDORED in path.parents or not path.is_file():
            continue
        try:
            yield path, path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue


def room_of(imported: str) -> str | None:
    parts = imported.split(".")
    return parts[1] if parts[0] == "openorders" and len(parts) > 1 else None


def test_the_import_arrows_are_never_reversed() -> None:
    def allowed(room: str, imported: str) -> bool:
        path = imported.removeprefix("openorders.") + "."
        return any(path.startswith(f"{name}.") for name in (room, *ARROWS[room]))

    wrong = [
        f"{module.name}:{line} imports {imported}"
        for module in modules()
        if module.room in ARROWS
        for line, imported in module.imports()
        if room_of(imported) in {*ARROWS, *KNOWS_EVERYBODY} and not allowed(module.room, imported)
    ]
    assert sorted(set(wrong)) == []


def test_every_room_has_its_arrows_written_down() -> None:
    rooms = {module.room for module in modules()} - {"__init__"}
    assert rooms <= set(ARROWS) | KNOWS_EVERYBODY


def test_imports_are_absolute() -> None:
    wrong = [
        f"{module.name}:{node.lineno}"
        for module in modules()
        for node in ast.walk(module.tree)
        if isinstance(node, ast.ImportFrom) and node.level
    ]
    assert wrong == []


def test_no_contract_imports_another() -> None:
    def contract_of(dotted: str) -> str | None:
        parts = dotted.split(".")
        folder = len(parts) > 2 and (PACKAGE / "contracts" / parts[2]).is_dir()
        return parts[2] if parts[:2] == ["openorders", "contracts"] and folder else None

    wrong = []
    for module in modules():
        own = contract_of(f"openorders.{module.name.removesuffix('.py').replace('/', '.')}")
        for line, imported in module.imports():
            other = contract_of(imported)
            if own is not None and other not in {None, own, "kit"}:
                wrong.append(f"{module.name}:{line} imports {imported}")
    assert sorted(set(wrong)) == []


def test_the_domain_imports_the_standard_library_what_values_are_made_of_and_no_io() -> None:
    domain = [module for module in modules() if module.room == "domain"]
    wrong = [
        f"{module.name}:{line} imports {imported}"
        for module in domain
        for line, imported in module.imports()
        if (top := imported.split(".")[0]) != "openorders"
        and not (imported in VALUES or top in sys.stdlib_module_names - NO_IO)
    ]
    assert wrong == [call for one in domain for _, call in one.calls() if "msgspec." in call] == []


def test_each_library_stays_in_its_rooms() -> None:
    wrong = [
        f"{module.name}:{line} imports {imported}"
        for module in modules()
        for line, imported in module.imports()
        if module.room not in KNOWS_EVERYBODY
        and module.room not in LIBRARIES.get(imported.split(".")[0], {module.room})
    ]
    assert sorted(set(wrong)) == []


def test_no_file_is_longer_than_a_person_can_hold_in_mind() -> None:
    files = [*python_files(), *(PACKAGE / "store").glob("*.sql")]
    lines = {path: len(path.read_text(encoding="utf-8").splitlines()) for path in files}
    long = {str(p.relative_to(ROOT)): n for p, n in lines.items() if n > FILE_LINES_MAX}
    assert long == {}


def test_no_function_is_longer_than_a_screen() -> None:
    long = {
        f"{path.relative_to(ROOT)}:{node.name}": length
        for path in python_files()
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and (length := (node.end_lineno or 0) - node.lineno + 1) > FUNCTION_LINES_MAX
    }
    assert long == {}


def test_every_module_says_what_it_is_for() -> None:
    silent = [module.name for module in modules() if ast.get_docstring(module.tree) is None]
    assert silent == []


def test_the_clock_is_read_in_one_place() -> None:
    clock = re.compile(r"(^|\.)(datetime\.(now|utcnow|today)|date\.today|time\.time(_ns)?)$")
    assert calls_outside(clock, CLOCK_AT_HOME) == []


def test_the_environment_is_read_in_one_place() -> None:
    wrong = [
        f"{module.name}:{node.lineno}"
        for module in modules()
        if module.name not in ENVIRONMENT_AT_HOME
        for node in ast.walk(module.tree)
        if isinstance(node, ast.Attribute) and node.attr in {"environ", "environb", "getenv"}
    ]
    assert wrong == []


def test_nothing_is_made_a_float() -> None:
    assert calls_outside(re.compile(r"^float$"), FLOAT_ALLOWED) == []


def calls_outside(pattern: re.Pattern[str], homes: dict[str, str]) -> list[str]:
    return [
        f"{module.name}:{line} calls {called}"
        for module in modules()
        if module.name not in homes
        for line, called in module.calls()
        if pattern.search(called)
    ]


def test_sql_is_written_in_sql_files() -> None:
    wrong = [
        f"{module.name}:{node.lineno}"
        for module in modules()
        if module.name not in SQL_AT_HOME
        for node in ast.walk(module.tree)
        if isinstance(node, ast.Constant)
        and isinstance(node.value, str)
        and SQL_TEXT.match(node.value)
    ]
    assert wrong == []


def test_every_statement_is_about_one_store() -> None:
    def excused(file: str, name: str) -> bool:
        return not WITHOUT_STORE_ID.keys().isdisjoint({f"{file}.{name}", f"{file}.*"})

    wrong = [
        f"{file}.{statement.name}"
        for file, statements in queries.load_all().items()
        for statement in statements
        if "store_id" not in statement.parameters
        and "store_id" not in statement.sql
        and not excused(file, statement.name)
    ]
    assert wrong == []


def test_no_exception_to_the_store_rule_outlives_its_statement() -> None:
    loaded = queries.load_all()
    known = {f"{file}.{s.name}" for file, statements in loaded.items() for s in statements}
    known |= {f"{file}.*" for file in loaded}
    assert set(WITHOUT_STORE_ID) <= known


def test_names_say_what_a_thing_is() -> None:
    bad = [
        str(path.relative_to(ROOT))
        for folder in (PACKAGE, ROOT / "tests", ROOT / "bench")
        for path in folder.rglob("*")
        if VENDORED not in path.parents and path.stem in BANNED_NAMES
    ]
    assert bad == []


def test_no_work_is_left_in_comments() -> None:
    assert places_with(BANNED_WORDS) == []


def test_no_file_names_a_place_on_somebodys_machine() -> None:
    assert places_with(MACHINE_PATHS) == []


def places_with(pattern: re.Pattern[str]) -> list[str]:
    return [
        f"{path.relative_to(ROOT)}:{number}: {line.strip()[:80]}"
        for path, text in text_files()
        if pattern.search(text)
        for number, line in enumerate(text.splitlines(), start=1)
        if pattern.search(line)
    ]


def test_our_own_code_is_never_mocked_and_no_test_is_skipped_in_silence() -> None:
    mocking = re.compile(
        r"^\s*(from|import) (unittest\.mock|unittest import mock|mock\b)", re.MULTILINE
    )
    skipping = re.compile(r"pytest\.(mark\.)?(skip|xfail)")
    wrong = [
        str(path.relative_to(ROOT))
        for path in sorted((ROOT / "tests").rglob("*.py"))
        if path != Path(__file__)
        and (text := path.read_text(encoding="utf-8"))
        and (mocking.search(text) or (skipping.search(text) and "browser" not in path.parts))
    ]
    assert wrong == []
