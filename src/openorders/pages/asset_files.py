"""The files that pages are made of, served by ourselves: styles, scripts, the icon."""

import gzip
import hashlib
from functools import lru_cache
from pathlib import Path
from typing import Final

from msgspec import Struct

_FOLDER: Final = Path(__file__).parent / "assets"
_WORTH_PACKING: Final = 1024

_TYPES: Final = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}

FILES: Final = {
    path.name: path
    for path in (
        _FOLDER / "favicon.svg",
        _FOLDER / "openorders.css",
        _FOLDER / "reference.css",
        _FOLDER / "reference.js",
        _FOLDER / "swagger-ui" / "swagger-ui.css",
        _FOLDER / "swagger-ui" / "swagger-ui-bundle.js",
    )
}
"""What is served below `/assets`, by name: no path that a client sends reaches the file system."""


class Asset(Struct, frozen=True):
    """One file, as it is and packed. `tag` is its strong entity tag."""

    content: bytes
    packed: bytes | None
    content_type: str
    tag: str


@lru_cache(maxsize=len(FILES))
def load(name: str) -> Asset:
    """The file of that name; KeyError when there is none."""
    path = FILES[name]
    content = path.read_bytes()
    packed = gzip.compress(content, mtime=0) if len(content) > _WORTH_PACKING else None
    tag = f'"{hashlib.sha256(content).hexdigest()[:20]}"'
    return Asset(content, packed, _TYPES[path.suffix], tag)
