"""The service over the demo's mine, left running in the background: one at a time, each start replaces the last."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Any

from minefusion.schemas.errors import InputError

PID, LOG = "service.pid", "service.log"
_END_S = 10.0


def start(base: Path, lake: Path, as_of: datetime, port: int) -> dict[str, Any]:
    """End the service that runs for `base`, start one over the lake as if it were `as_of`, and wait until it answers.

    What people did in an earlier one is forgotten: its clock goes back to the same shift.

    Returns:
        `url`, `login` and `one_time_password`, and the number of its process.

    Raises:
        InputError: it did not start, and why.
    """
    stop(base)
    database = base / "control-room.db"
    for left in base.glob(f"{database.name}*"):
        left.unlink()
    line = [sys.executable, "-m", "minefusion", "serve", "--lake", str(lake), "--as-of", as_of.isoformat()]
    line += ["--port", str(port), "--output", "json", "--quiet"]
    with (base / LOG).open("wb") as log:
        process = subprocess.Popen(
            line,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=log,
            start_new_session=True,  # it stays when this process and its terminal go
            env=os.environ | {"MINEFUSION_DATABASE": f"sqlite:///{database}"},
        )
    assert process.stdout is not None
    told = json.loads(process.stdout.readline() or "{}")
    if "url" not in told:
        process.wait()
        why = told.get("error") or f"see {base / LOG}"
        raise InputError(f"expected the service to start, it did not: {why}")
    (base / PID).write_text(str(process.pid), encoding="utf-8")
    return told | {"pid": process.pid}


def stop(base: Path) -> bool:
    """End the service that runs for `base`; false where none does."""
    path = base / PID
    if not path.is_file():
        return False
    pid = int(path.read_text(encoding="utf-8"))
    path.unlink()
    if not _is_ours(pid, base):
        return False
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGTERM)
        ends = time.monotonic() + _END_S
        while _is_ours(pid, base):
            if time.monotonic() > ends:
                os.kill(pid, signal.SIGKILL)
            time.sleep(0.05)
    return True


def _is_ours(pid: int, base: Path) -> bool:
    """Whether that process is a service over a lake of `base`: numbers of processes are used again."""
    told = subprocess.run(
        ["ps", "-ww", "-o", "stat=", "-o", "args=", "-p", str(pid)], capture_output=True, text=True, check=False
    ).stdout
    return " minefusion serve " in told and str(base) in told and not told.startswith("Z")
