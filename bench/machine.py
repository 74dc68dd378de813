"""What a run was made on: the machine, the versions, and what of it makes figures doubtful."""

import os
import platform
import re
import shutil
import subprocess
import sys
import tempfile
from importlib.metadata import version
from pathlib import Path
from typing import Any

_ROOT = Path(__file__).parent.parent
_LIBRARIES = ("uvicorn", "uvloop", "httptools", "litestar", "msgspec", "asyncpg")
_IN_MEMORY = {"tmpfs", "ramfs"}
_BUSY = 0.25
"""Processes that wait for a core, by core, from which on others disturb the figures."""


def machine() -> dict[str, Any]:
    """What decides how fast anything is here; a figure compares with one of an equal machine."""
    return {
        "processor": _processor(),
        "cores": len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count(),
        "memory_gib": _memory_gib(),
        "system": f"{platform.system()} {platform.machine()}",
    }


def versions(postgres: Path) -> dict[str, str]:
    """`postgres` is the folder of PostgreSQL's programs."""
    return {
        "openorders": f"{version('openorders')} {_commit()}".strip(),
        "python": platform.python_version(),
        "postgresql": _said([str(postgres / "postgres"), "--version"], r"[\d.]+"),
        "wrk": _said(["wrk", "--version"], r"wrk ([^\s\[]+)"),
        "kernel": platform.release(),
        **{name: version(name) for name in _LIBRARIES},
    }


def doubts() -> list[str]:
    """Sentences about what would make this run's figures worth less."""
    found: list[str] = []
    cores = machine()["cores"] or 1
    load = os.getloadavg()[0]
    if load > _BUSY * cores:
        found.append(
            f"Other work is going on here: {load:.1f} processes want the {cores} cores on average. "
            "Figures of a busy machine are worth nothing."
        )
    if not Path("/proc/self/stat").exists():
        found.append("There is no /proc here, so CPU time and memory are not known.")
    folder = Path(tempfile.gettempdir())
    if (kind := _filesystem(folder)) in _IN_MEMORY:
        found.append(
            f"{folder} is a {kind}, so nothing is written to a disk: placing looks faster than it "
            "is. Set TMPDIR to a folder on a disk."
        )
    return found


def _processor() -> str:
    text = _read(Path("/proc/cpuinfo"))
    found = re.search(r"^model name\s*:\s*(.+)$", text, re.MULTILINE)
    return found[1].strip() if found else platform.processor() or "not known"


def _memory_gib() -> int | None:
    found = re.search(r"^MemTotal:\s*(\d+) kB", _read(Path("/proc/meminfo")), re.MULTILINE)
    return round(int(found[1]) / 1024**2) if found else None


def _filesystem(folder: Path) -> str:
    """The kind of file system that a folder is on; empty when not known."""
    mounts = [line.split() for line in _read(Path("/proc/mounts")).splitlines()]
    holding = [fields for fields in mounts if folder.resolve().is_relative_to(fields[1])]
    return max(holding, key=lambda fields: len(fields[1]))[2] if holding else ""


def _commit() -> str:
    if shutil.which("git") is None:
        return ""
    commit = _said(["git", "-C", str(_ROOT), "rev-parse", "--short", "HEAD"], r"\w+")
    changed = _said(["git", "-C", str(_ROOT), "status", "--porcelain", "src", "bench"], r"\S+")
    return f"{commit}, changed since" if commit and changed else commit


def _said(words: list[str], pattern: str) -> str:
    """What a program's output has of this; empty for a program that is not here."""
    try:
        done = subprocess.run(words, check=False, capture_output=True, text=True)
    except OSError:
        return ""
    found = re.search(pattern, done.stdout or done.stderr)
    return found[found.re.groups and 1] if found else ""


def _read(file: Path) -> str:
    try:
        return file.read_text()
    except OSError:
        return ""
