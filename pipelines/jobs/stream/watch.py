"""Which files of a landing folder are new, told again and again at little cost."""

from __future__ import annotations

import os
import time
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path

from minefusion.pipelines.jobs.landing import Landing, entries, landed

# So often everything is looked at anew: a file that is written over where it lies changes no folder.
FULL_LOOK_S = 20.0
# A file that is not complete yet is looked at again so soon; it may grow where it lies, too.
AGAIN_S = 1.0
# A folder's time of change has ticks of some milliseconds; one that is so fresh may hide a second change.
FRESH_NS = 100_000_000


class Watch:
    """Looks through a landing folder; of what `took` was told of, only a change is told, at the next full look.

    A folder whose time of change stands still is not even read. That keeps a look short where a day's files, one a
    second, lie beside the new one.

    Attributes:
        sites_changed: the last look found a site file that came or changed since the one before.
    """

    def __init__(self, landing: Path) -> None:
        self.landing = landing
        self.sites_changed = False
        self._taken: dict[str, tuple[int, datetime]] = {}
        self._folders: dict[str, int] = {}
        self._sites: dict[str, tuple[int, int]] = {}
        self._full_look_at = 0.0
        self._again_at = float("inf")

    def new_files(self) -> list[Landing]:
        """Files that were not taken as they are now; none where nothing changed.

        Raises:
            FileNotFoundError: the landing folder is gone.
        """
        self.sites_changed = False
        now = time.monotonic()
        is_full = now >= self._full_look_at
        if is_full:
            self._full_look_at = now + FULL_LOOK_S
        elif now < self._again_at and self._folders == {folder: _changed_ns(folder) for folder in self._folders}:
            return []
        self._again_at = float("inf")
        folders = {str(self.landing): _changed_ns(str(self.landing))}
        found = []
        for entry, inside, name in entries(self.landing):
            if entry.is_dir():
                folders[entry.path] = _changed_ns(entry.path)
            elif is_full or entry.path not in self._taken:
                file = landed(entry, inside, name)
                if self._taken.get(entry.path) != (file.size, file.modified):
                    found.append(file)
        fresh_from = time.time_ns() - FRESH_NS
        self._folders = {folder: 0 if changed > fresh_from else changed for folder, changed in folders.items()}
        self._look_at_sites()
        return found

    def took(self, files: Iterable[Landing]) -> None:
        """These have their final verdict."""
        self._taken.update((str(file.path), (file.size, file.modified)) for file in files)

    def wait_for(self, files: Iterable[Landing]) -> None:
        """Some of these are not complete: they are told of again soon."""
        for file in files:
            self._taken.pop(str(file.path), None)
        self._again_at = time.monotonic() + AGAIN_S

    def _look_at_sites(self) -> None:
        sites = {}
        for name in os.listdir(self.landing):
            if name.endswith(".site.yaml"):
                stat = os.stat(self.landing / name)
                sites[name] = (stat.st_mtime_ns, stat.st_size)
        self.sites_changed = sites != self._sites
        self._sites = sites


def _changed_ns(folder: str) -> int:
    try:
        return os.stat(folder).st_mtime_ns
    except FileNotFoundError:
        return -1
