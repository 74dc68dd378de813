"""The embedded database as processes: make the cluster, start it, find it again, stop it.

Everything here blocks and is meant for a worker thread. The server is started detached, so that
it outlives whoever started it and the next one takes it over. Processes are recognised by what
the system says they run, never by a bare number, which may since belong to somebody else.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from msgspec import Struct

from openorders.store import embedded_binaries
from openorders.store.embedded_account import EmbeddedDatabaseError
from openorders.store.embedded_binaries import Binaries
from openorders.store.embedded_configuration import configuration
from openorders.store.embedded_folder import SOCKET_PATH_BYTES_MAX, DataFolder

SUPERUSER = "postgres"

START_S = 300
"""How long recovery after a crash may take before we give up on a start."""

STOP_S = 60
"""How long the last checkpoint may take before the database is stopped the hard way."""

LOG_BYTES_MAX = 8 * 1024 * 1024

_SOCKET_PORT = 5432
_ORPHANS_S = 5
_STEP_S = 0.01
_MIB = 1024 * 1024
_ENDED = (b"Z", b"X")
"""States of a process that only waits to be taken note of (proc_pid_stat(5))."""

_STARTS_DETACHED = '"$@" >&2 & echo $!'

Report = Callable[[str], None]
"""Told, in a sentence, what is being waited for."""


class Postmaster(Struct, frozen=True, kw_only=True):
    """A running database, as it describes itself in its cluster's postmaster.pid."""

    pid: int
    port: int
    host: str
    ready: bool


def running(folder: DataFolder) -> Postmaster | None:
    """The database that runs on the folder's cluster now; None when there is none."""
    postmaster = _described(folder)
    if postmaster is None or not _is_ours(postmaster.pid, folder):
        return None
    return postmaster


def start(
    folder: DataFolder,
    *,
    bindir: Path | None,
    settings: Mapping[str, str],
    report: Report,
    underway: Callable[[], None] = lambda: None,
) -> Postmaster:
    """Start the database, making its cluster first where there is none; ready when it returns.

    `underway` is called as soon as what is left is mostly waiting for other programs.
    """
    binaries = embedded_binaries.find(
        account=folder.account,
        copies=folder.make(folder.binaries),
        given=bindir,
        major=_cluster_major(folder),
    )
    last = _described(folder)
    if folder.has_cluster:
        _clear_leftovers(folder, report)
    else:
        report(f"Creating the database in {folder.path} (PostgreSQL {binaries.version}).")
        underway()
        _make_cluster(folder, binaries)
    folder.write(folder.cluster / "openorders.conf", configuration(settings))
    _keep_last_log(folder)
    logged = folder.log.stat().st_size if folder.log.exists() else 0
    pid = _launch(folder, binaries, last)
    underway()
    return _wait_until_ready(folder, pid, report, logged=logged)


def await_ready(folder: DataFolder, report: Report) -> Postmaster | None:
    """Wait for a database that somebody else started; None when it is gone meanwhile."""
    postmaster = running(folder)
    if postmaster is None or postmaster.ready:
        return postmaster
    return _wait_until_ready(folder, postmaster.pid, report)


def stop(folder: DataFolder) -> None:
    """Stop the folder's database, if one runs: ask for a clean end, insist when it takes long."""
    postmaster = running(folder)
    if postmaster is None:
        return
    for sign, patience_s in ((signal.SIGINT, STOP_S), (signal.SIGQUIT, 10), (signal.SIGKILL, 10)):
        _send(postmaster.pid, sign)
        until = time.monotonic() + patience_s
        while time.monotonic() < until:
            if not _is_ours(postmaster.pid, folder):
                return
            time.sleep(_STEP_S)


def _described(folder: DataFolder) -> Postmaster | None:
    """Read postmaster.pid; None while it is absent or only half written."""
    try:
        lines = (folder.cluster / "postmaster.pid").read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        return None
    lines += [""] * (8 - len(lines))
    pid, _, _, port, socket_folder, address, _, status = (line.strip() for line in lines[:8])
    if not (pid.isdigit() and port.isdigit()):
        return None
    host = socket_folder or address
    return Postmaster(pid=int(pid), port=int(port), host=host, ready=status == "ready")


def _cluster_major(folder: DataFolder) -> int | None:
    if not folder.has_cluster:
        return None
    return int((folder.cluster / "PG_VERSION").read_text(encoding="ascii"))


def _make_cluster(folder: DataFolder, binaries: Binaries) -> None:
    """Run initdb beside the final place and move the result there, so that it is never half."""
    part = folder.path / "postgres.part"
    shutil.rmtree(part, ignore_errors=True)
    command: list[str | Path] = [
        binaries.program("initdb"),
        f"--pgdata={part}",
        f"--username={SUPERUSER}",
        f"--pwfile={folder.new_password()}",
        "--auth=scram-sha-256",
        "--encoding=UTF8",
        "--data-checksums",
        "--no-instructions",
    ]
    if binaries.major >= 17:  # noqa: PLR2004 - the first with a locale provider of its own
        locale = ["--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
    else:
        locale = ["--locale=C.UTF-8", "--lc-collate=C"]
    made = folder.account.run([*command, *locale], cwd=folder.path)
    if made.returncode and binaries.major < 17:  # noqa: PLR2004 - no C.UTF-8 on this machine
        shutil.rmtree(part, ignore_errors=True)
        made = folder.account.run([*command, "--locale=C"], cwd=folder.path)
    if made.returncode:
        raise EmbeddedDatabaseError(f"initdb failed in {folder.path}: {made.stderr.strip()}")
    folder.write(
        part / "postgresql.conf",
        "# openorders writes its settings to openorders.conf at every start; lines below the\n"
        "# include are yours and win over them.\ninclude 'openorders.conf'\n",
    )
    part.rename(folder.cluster)


def _keep_last_log(folder: DataFolder) -> None:
    if folder.log.exists() and folder.log.stat().st_size > _MIB:
        folder.log.rename(folder.log.with_suffix(".log.1"))


def _launch(folder: DataFolder, binaries: Binaries, last: Postmaster | None) -> int:
    """Start the server as nobody's child, in a session of its own; answer its process id."""
    command: list[str | Path] = [
        "/bin/sh",
        "-c",
        _STARTS_DETACHED,
        "sh",
        binaries.program("postgres"),
        "-D",
        folder.cluster,
        "-c",
        f"cluster_name={_cluster_name(folder)}",
    ]
    for name, value in _address(folder, last).items():
        command += ["-c", f"{name}={value}"]
    with folder.log.open("ab") as log:
        return int(folder.account.run_into(command, log=log, cwd=folder.path))


def _address(folder: DataFolder, last: Postmaster | None) -> dict[str, str]:
    """A socket that only the account can open, or loopback where its path would be too long.

    On loopback the port of a database that was killed is kept, for those who know it.
    """
    folder.make(folder.sockets)
    path = folder.sockets / f".s.PGSQL.{_SOCKET_PORT}"
    if len(os.fsencode(path)) <= SOCKET_PATH_BYTES_MAX and "," not in str(path):
        return {
            "listen_addresses": "",
            "port": str(_SOCKET_PORT),
            "unix_socket_directories": str(folder.sockets),
            "unix_socket_permissions": "0700",
        }
    port = _free_port(last.port if last else 0)
    return {"listen_addresses": "127.0.0.1", "port": str(port), "unix_socket_directories": ""}


def _free_port(wished: int) -> int:
    for port in (wished, 0):
        try:
            with socket.create_server(("127.0.0.1", port)) as probe:
                return probe.getsockname()[1]
        except OSError:
            continue
    raise EmbeddedDatabaseError("This machine has no free port on 127.0.0.1.")


def _wait_until_ready(
    folder: DataFolder, pid: int, report: Report, *, logged: int = 0
) -> Postmaster:
    """Wait for a starting database; of its log, what lies before `logged` is another start's."""
    begun = time.monotonic()
    told = False
    while time.monotonic() - begun < START_S:
        postmaster = _described(folder)
        if postmaster is not None and postmaster.pid == pid and postmaster.ready:
            return postmaster
        if not is_alive(pid):
            raise EmbeddedDatabaseError(
                f"The database in {folder.path} did not start: {_last_words(folder, logged)}"
            )
        if not told and time.monotonic() - begun > 1:
            report("The database is recovering from an unclean end.")
            told = True
        time.sleep(_STEP_S)
    raise EmbeddedDatabaseError(
        f"The database in {folder.path} was not ready after {START_S} s; see {folder.log}."
    )


def _last_words(folder: DataFolder, logged: int) -> str:
    text = folder.log.read_bytes()[logged:].decode(errors="replace")
    said = [line.partition("] ")[2] or line for line in text.strip().splitlines()]
    return " ".join(said[-3:]) or f"it said nothing in {folder.log}."


def _clear_leftovers(folder: DataFolder, report: Report) -> None:
    """Make way after a database that was killed: wait for its last processes, end them, tidy up.

    Nobody else can be using the cluster: the caller holds the folder's locks, and a database that
    answers though its process cannot be seen (another container's) is refused.
    """
    _refuse_if_served_elsewhere(folder)
    title = f"postgres: {_cluster_name(folder)}: "
    until = time.monotonic() + _ORPHANS_S
    signals = iter((signal.SIGQUIT, signal.SIGKILL, signal.SIGKILL))
    while orphans := [pid for pid, words in _processes() if words.startswith(title)]:
        if time.monotonic() > until:
            report("Ending what a killed database left running.")
            sign = next(signals, None)
            if sign is None:
                raise EmbeddedDatabaseError(
                    f"Processes of a killed database still use {folder.cluster}: {orphans}."
                )
            for pid in orphans:
                _send(pid, sign)
            until = time.monotonic() + 2
        time.sleep(_STEP_S)
    for stale in (folder.cluster / "postmaster.pid", *folder.sockets.glob(".s.PGSQL.*")):
        stale.unlink(missing_ok=True)


def _refuse_if_served_elsewhere(folder: DataFolder) -> None:
    described = _described(folder)
    if described is None or not described.host.startswith("/"):
        return
    with socket.socket(socket.AF_UNIX) as probe:
        try:
            probe.connect(f"{described.host}/.s.PGSQL.{described.port}")
        except OSError:
            return
    raise EmbeddedDatabaseError(
        f"A database that this machine does not show as running serves {folder.path}, probably "
        "in another container. Stop that one first."
    )


def _cluster_name(folder: DataFolder) -> str:
    """Stands in the title of every process of this cluster, and of no other's."""
    return f"openorders-{hashlib.sha256(os.fsencode(folder.cluster)).hexdigest()[:16]}"


def _is_ours(pid: int, folder: DataFolder) -> bool:
    """Whether this process is the server of the folder's cluster; a zombie is not."""
    words = _command(pid)
    return f"-D {folder.cluster} " in words and _cluster_name(folder) in words


def is_alive(pid: int) -> bool:
    """Whether a process of this number runs; a zombie does not. While it becomes another program it
    has no words, and runs all the same.
    """
    if not Path("/proc/self/stat").exists():
        return _command(pid) != ""
    try:
        state = Path(f"/proc/{pid}/stat").read_bytes().rpartition(b")")[2].split()[0]
    except OSError:
        return False
    return state not in _ENDED


def _command(pid: int) -> str:
    """The words a process was started with or has titled itself; empty for none and zombies."""
    if Path("/proc/self/cmdline").exists():
        try:
            raw = Path(f"/proc/{pid}/cmdline").read_bytes()
        except OSError:
            return ""
        return raw.replace(b"\0", b" ").decode(errors="surrogateescape")
    return next((words for number, words in _processes(f"-p{pid}") if number == pid), "")


def _processes(which: str = "-ax") -> Iterator[tuple[int, str]]:
    proc = Path("/proc")
    if (proc / "self" / "cmdline").exists():
        for entry in proc.iterdir():
            if entry.name.isdigit():
                yield int(entry.name), _command(int(entry.name))
        return
    listing = subprocess.run(  # noqa: S603 - fixed words
        ["/bin/ps", which, "-o", "pid=,stat=,command="],
        capture_output=True,
        text=True,
        check=False,
    ).stdout
    for line in listing.splitlines():
        number, state, words = (*line.split(None, 2), "")[:3]
        if not state.startswith("Z"):
            yield int(number), f"{words} "


def _send(pid: int, sign: signal.Signals) -> None:
    try:
        os.kill(pid, sign)
    except ProcessLookupError:
        return
