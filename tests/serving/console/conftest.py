"""The console's service and a real Chromium that looks at it."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import mine_1203
import pytest
from running_console import PASSWORD, Clock, Console, Opened, note_request, note_trouble

from minefusion.serving.console.pages import FOLDERS

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page


@pytest.fixture(scope="session")
def lake_1203(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return mine_1203.write(tmp_path_factory.mktemp("mine_1203"))


@pytest.fixture(scope="session")
def lived_through(lake_1203: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database in which the event was lived through from before it began, half a minute at a time."""
    database = tmp_path_factory.mktemp("lived") / "room.db"
    clock = Clock(mine_1203.NOW - timedelta(minutes=20))
    console = Console(lake_1203, database, clock)
    console.start()
    for step in range(41):
        clock.set(mine_1203.NOW - timedelta(minutes=20) + timedelta(seconds=30 * step))
        console.beat()
    console.stop()
    return database


@pytest.fixture
def console(lake_1203: Path, lived_through: Path, tmp_path: Path) -> Iterator[Console]:
    """A console that a test may change as it likes."""
    if not all(folder.is_dir() for folder in FOLDERS.values()):
        pytest.skip("the console's files were not brought: run make setup where npm can reach its registry")
    running = Console(lake_1203, Path(shutil.copy(lived_through, tmp_path / "room.db")), Clock(mine_1203.NOW))
    running.start()
    yield running
    running.stop()


@pytest.fixture
def opened(console: Console, chromium: Browser) -> Iterator[Opened]:
    """Open the console as a user; in the end nothing was complained of, and nobody else was asked for anything."""
    troubles: list[str] = []
    contexts: list[Any] = []

    def one(user: str = "zhang", address: str = "", width: int = 1920, height: int = 1080) -> Page:
        context = chromium.new_context(viewport={"width": width, "height": height}, reduced_motion="reduce")
        contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: troubles.append(str(error)))
        page.on("console", lambda told: note_trouble(troubles, told.type, told.text))
        page.on("request", lambda asked: note_request(troubles, asked.url, console.url))
        page.on("dialog", lambda told: troubles.append(told.message))
        page.goto(f"{console.url}/console/#{address}")
        page.fill("input[name=login]", user)
        page.fill("input[name=password]", PASSWORD)
        page.press("input[name=password]", "Enter")
        page.wait_for_selector("html[data-ready]")
        page.wait_for_selector(".canvas[data-labels]")
        page.wait_for_selector(".gutter .ser", state="attached")
        return page

    yield one
    for each in contexts:
        each.close()
    assert troubles == []
