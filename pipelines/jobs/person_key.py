"""Secrets that a machine keeps in the project's home, such as the one that turns a card into what gold may hold."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

from minefusion.schemas.errors import InputError
from minefusion.schemas.settings import Settings

FILE = "person.key"
LEAST = 16


def person_key(settings: Settings) -> bytes:
    """The key of the settings; else the one kept in the project's home, made at the first call.

    Raises:
        InputError: the kept key is cut short.
    """
    if settings.person_key:
        return settings.person_key.encode()
    return kept_key(settings.home / FILE)


def kept_key(path: Path) -> bytes:
    """The key in that file, which is made at the first call and which only its owner may read.

    Raises:
        InputError: the kept key is cut short.
    """
    if not path.is_file():
        path.parent.mkdir(parents=True, exist_ok=True)
        # Whole or not at all, and by the first of two that start at once.
        own = path.with_name(f"{path.name}.{os.getpid()}")
        own.touch(mode=0o600)
        own.write_text(secrets.token_hex(32))
        try:
            os.link(own, path)
        except FileExistsError:
            pass
        finally:
            own.unlink()
    key = path.read_text().strip()
    if len(key) < LEAST:
        raise InputError(
            f"expected a key of {LEAST} or more characters in {path}, got {len(key)}; "
            "restore the file, or remove it to get a new key and other hashes"
        )
    return key.encode()
