"""The mine's site file, as the service reads it."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

from minefusion.schemas.catalog import site_path
from minefusion.schemas.site import Site, load_site
from minefusion.serving.reader import Reader


def site_of(reader: Reader, mine_code: str) -> Site | None:
    """The site of a mine; null where there is no file.

    Raises:
        InputError: the file is none.
    """
    path = site_path(reader.lake, mine_code)
    return _read(path, path.stat().st_mtime_ns) if path.is_file() else None


@lru_cache(maxsize=64)
def _read(path: Path, _changed: int) -> Site:
    return load_site(path)
