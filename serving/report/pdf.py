"""A report page as PDF, printed by the system's Chromium: A4, page numbers, Chinese text that can be found.

The page holds all it shows, and the browser may reach nothing: no address has a name for it.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from minefusion.schemas.errors import MissingError
from minefusion.serving.report.pdf_text import with_characters

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
MOST_S = 120.0
_OPTIONS = (
    "--headless=new", "--disable-gpu", "--disable-extensions", "--disable-background-networking", "--no-first-run",
    "--no-pdf-header-footer", "--host-resolver-rules=MAP * ~NOTFOUND",
)  # fmt: skip


def as_pdf(html: str) -> bytes:
    """The page, printed.

    Raises:
        MissingError: there is no Chromium here, or it printed nothing.
    """
    browser = next(filter(None, map(shutil.which, BROWSERS)), None)
    if browser is None:
        raise MissingError(
            "expected Chromium for printing, found none; install it (Debian: apt-get install chromium fonts-noto-cjk), "
            "or print the page from any browser"
        )
    with tempfile.TemporaryDirectory(prefix="minefusion-print-") as folder:
        page, printed = Path(folder, "report.html"), Path(folder, "report.pdf")
        page.write_text(html, encoding="utf-8")
        command = [browser, *_OPTIONS, f"--user-data-dir={folder}/profile", f"--print-to-pdf={printed}"]
        if hasattr(os, "geteuid") and os.geteuid() == 0:
            command.append("--no-sandbox")  # which Chromium refuses to make for root, as in a container
        try:
            done = subprocess.run([*command, page.as_uri()], capture_output=True, timeout=MOST_S, check=False)
        except subprocess.TimeoutExpired:
            raise MissingError(f"expected Chromium to print within {MOST_S:g} s, it did not; try again") from None
        if not printed.is_file():
            told = done.stderr.decode(errors="replace").strip().splitlines()
            raise MissingError(
                f"expected Chromium to print the page, it did not: {told[-1] if told else done.returncode}"
            )
        return with_characters(printed.read_bytes())
