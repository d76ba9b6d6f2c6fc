"""The landing watch: every file once, at little cost."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from minefusion.pipelines.jobs.stream import watch as watching
from minefusion.pipelines.jobs.stream.watch import Watch


def names(watch: Watch) -> set[str]:
    return {file.name for file in watch.new_files()}


def settled(folder: Path) -> None:
    """Give the folder a time of change that is long past, as if nothing had come for a while."""
    past = time.time() - 5
    os.utime(folder, (past, past))


def test_a_file_is_new_until_it_was_taken(landing: Path):
    watch = Watch(landing)
    (landing / "a.txt").write_text("1")
    assert names(watch) == {"a.txt"}
    (landing / "b.txt").write_text("1")
    (landing / "c.txt.part").write_text("1")
    files = watch.new_files()
    assert {file.name for file in files} == {"a.txt", "b.txt"}
    watch.took(files)
    assert names(watch) == set()
    (landing / "c.txt.part").rename(landing / "c.txt")
    assert names(watch) == {"c.txt"}


def test_files_in_folders_that_come_later_are_seen(landing: Path):
    watch = Watch(landing)
    watch.new_files()
    (landing / "provincial").mkdir()
    watch.new_files()
    settled(landing)
    (landing / "provincial" / "a.txt").write_text("1")
    assert names(watch) == {"a.txt"}


def test_a_folder_that_stands_still_is_not_read(landing: Path, monkeypatch: pytest.MonkeyPatch):
    watch = Watch(landing)
    (landing / "a.txt").write_text("1")
    settled(landing)
    watch.took(watch.new_files())
    monkeypatch.setattr(watching, "entries", lambda _: pytest.fail("the folder was read"))
    assert watch.new_files() == []


def test_a_file_that_was_written_over_is_seen_at_the_next_full_look(landing: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(watching, "FULL_LOOK_S", 0.0)
    watch = Watch(landing)
    (landing / "a.txt").write_text("1")
    watch.took(watch.new_files())
    (landing / "a.txt").write_text("12")
    assert [file.size for file in watch.new_files()] == [2]


def test_a_file_that_is_not_complete_is_looked_at_again_soon(landing: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(watching, "AGAIN_S", 0.0)
    watch = Watch(landing)
    (landing / "a.txt").write_text("1")
    settled(landing)
    watch.wait_for(watch.new_files())
    assert names(watch) == {"a.txt"}


def test_a_site_file_that_changed_is_told_of_once(landing: Path):
    watch = Watch(landing)
    (landing / "620000000001.site.yaml").write_text("name_zh: 甲")
    told = []
    for _ in range(2):
        watch.new_files()
        told.append(watch.sites_changed)
    (landing / "620000000001.site.yaml").write_text("name_zh: 甲矿")
    os.utime(landing)
    watch.new_files()
    assert [*told, watch.sites_changed] == [True, False, True]
