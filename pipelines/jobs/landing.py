"""The landing folder: which files lie in it, what each is called by, and in which order they are taken."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from types import MappingProxyType

from minefusion.pipelines.exchange.header import from_mine_local
from minefusion.pipelines.exchange.packs import OnDisk
from minefusion.schemas.exchange.grammar import Named, kind_of_name
from minefusion.schemas.settings import Settings

# Day of ledger rows whose file has no time that can be read.
NO_DAY = "1970-01-01"
# Names that are not exchange files, or not yet.
_LEFT_OUT = (".tmp", ".part", ".site.yaml")
# How the names of video clips end.
CLIPS = (".mp4", ".m4v", ".mov", ".mkv", ".webm", ".avi", ".flv", ".wmv", ".mpg", ".mpeg", ".ts", ".h264", ".h265")
# A file this large is read in pieces, by itself.
LARGE_BYTES = 32 << 20


@dataclass(frozen=True)
class Landing:
    """One file in the landing folder. `folder` is where in it, '' for its top; `modified` has whole microseconds."""

    path: Path
    folder: str
    name: str
    size: int
    modified: datetime

    @cached_property
    def named(self) -> Named | None:
        """What the name says; None where it says nothing."""
        return kind_of_name(self.name)

    @property
    def kind(self) -> str | None:
        return self.named.kind if self.named else None

    @property
    def mine(self) -> str | None:
        return self.named.mine_code if self.named else None

    @property
    def stamp(self) -> str:
        return self.named.stamp if self.named else ""

    @property
    def day(self) -> str:
        """UTC day of the name's stamp, which is mine local time; NO_DAY where there is none."""
        at = from_mine_local(self.stamp)
        return at.date().isoformat() if at else NO_DAY

    @property
    def is_clip(self) -> bool:
        """A video clip: it has a registry of its own."""
        return self.name.lower().endswith(CLIPS)

    @property
    def is_large(self) -> bool:
        return self.size > LARGE_BYTES

    @property
    def identity(self) -> tuple[str, str, int, datetime]:
        """By these a file is known again without being read."""
        return (self.folder, self.name, self.size, self.modified)

    def on_disk(
        self,
        now: datetime,
        provincial: Sequence[str],
        idle_s: float | None = None,
        aliases: Mapping[str, str] = MappingProxyType({}),
        secret: str = "",
    ) -> OnDisk:
        """As the reader takes it.

        Args:
            provincial: folders whose files are read as provincial ones.
            aliases: provincial county and mine code → the mine's national code.
            secret: key by which fusion messages are signed.
            idle_s: seconds since it last grew; by its time where left out.
        """
        if idle_s is None:
            idle_s = max(0.0, (now - self.modified).total_seconds())
        is_lines = is_provincial(self.folder, provincial)
        path = self.path.absolute()  # a worker of a cluster runs in a folder of its own
        return OnDisk(path, self.name, self.size, now, idle_s, is_lines, self.folder, dict(aliases), secret)


def listing(landing: Path) -> list[Landing]:
    """Every exchange file below the landing folder.

    Left out: video clips, links, names and folders that begin with a dot, unfinished names (`.tmp`, `.part`) and site
    files.
    """
    return everything(landing).files


@dataclass(frozen=True)
class Contents:
    """What lies in a landing folder; `links` are names of links, which are not followed."""

    files: list[Landing]
    clips: list[Landing]
    links: list[str]


def everything(landing: Path) -> Contents:
    """Exchange files, clips and links below the landing folder."""
    links: list[str] = []
    found = [landed(entry, inside, name) for entry, inside, name in entries(landing, links) if not entry.is_dir()]
    return contents_of(found, links)


def contents_of(files: Sequence[Landing], links: Sequence[str] = ()) -> Contents:
    """Files by what they are."""
    clips = [file for file in files if file.is_clip]
    return Contents([file for file in files if not file.is_clip] if clips else list(files), clips, list(links))


def entries(landing: Path, links: list[str] | None = None) -> Iterator[tuple[os.DirEntry[str], str, str]]:
    """Every file and folder that is looked at: the entry, the folder that it lies in, and its readable name.

    Args:
        links: gets the names of the links that are passed over.
    """
    pending = [(str(landing), "")]
    while pending:
        folder, inside = pending.pop()
        with os.scandir(folder) as found:
            for entry in found:
                if entry.name.startswith(".") or entry.name.endswith(_LEFT_OUT):
                    continue
                name = _readable(entry.name)
                if entry.is_dir(follow_symlinks=False):
                    pending.append((entry.path, f"{inside}/{name}".strip("/")))
                    yield entry, inside, name
                elif entry.is_file(follow_symlinks=False):
                    yield entry, inside, name
                elif links is not None and entry.is_symlink():
                    links.append(f"{inside}/{name}".strip("/"))


def landed(entry: os.DirEntry[str], inside: str, name: str) -> Landing:
    """The file as it is now."""
    stat = entry.stat()
    modified = datetime.fromtimestamp(stat.st_mtime_ns // 1000 / 1e6, UTC)
    return Landing(Path(entry.path), inside, name, stat.st_size, modified)


def _readable(name: str) -> str:
    """A name whose bytes are not UTF-8, as old senders write them, read as GB18030. The path keeps the bytes."""
    try:
        name.encode()
    except UnicodeEncodeError:
        return os.fsencode(name).decode("gb18030", "replace")
    return name


def batches(files: Sequence[Landing], settings: Settings) -> Iterator[list[Landing]]:
    """The files in the order (stamp, name), shared out in batches; a large file is a batch of its own."""
    batch: list[Landing] = []
    size = 0
    for file in sorted(files, key=lambda each: (each.stamp, each.name, each.folder)):
        is_full = size + file.size > settings.batch_bytes or len(batch) >= settings.batch_files
        if batch and (is_full or file.is_large or batch[-1].is_large):
            yield batch
            batch, size = [], 0
        batch.append(file)
        size += file.size
    if batch:
        yield batch


def file_id_of(folder: str, name: str, sha256: str) -> str:
    """Identity of a file: what it is called and what it holds, never when or in which order it came."""
    return hashlib.sha256(f"{folder}/{name}\n{sha256}".encode()).hexdigest()[:32]


def is_provincial(folder: str, provincial: Sequence[str]) -> bool:
    """Whether a folder of the landing folder is one of the provincial feeds, or lies in one."""
    return any(folder == name or folder.startswith(name + "/") for name in provincial)
