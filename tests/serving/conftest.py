"""What the tests of serving share: the lake that they read, and the browser that looks at pages."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest
from literal_shift import SHIFT, write

from minefusion.serving.reader import Reader

if TYPE_CHECKING:
    from playwright.sync_api import Browser

# Only what fails waits so long; a machine may be busy.
PATIENCE_MS = 30_000
CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)


@pytest.fixture(scope="session")
def shift_lake(tmp_path_factory: pytest.TempPathFactory) -> Reader:
    """A lake that holds the literal shift."""
    return write(tmp_path_factory.mktemp("shift"), SHIFT)


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """One real browser for all pages: Playwright's loop takes no second one beside it."""
    if CHROMIUM is None:
        pytest.skip("no Chromium here: install chromium, or run make setup-tests where that may install it")
    from playwright.sync_api import expect, sync_playwright

    expect.set_options(timeout=PATIENCE_MS)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()
