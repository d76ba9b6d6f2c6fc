"""The secret that turns a card into what gold may hold of a person."""

from __future__ import annotations

import os
import secrets

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
    path = settings.home / FILE
    if not path.is_file():
        path.parent.mkdir(parents=True, exist_ok=True)
        # Whole or not at all, and by the first of two that start at once.
        own = path.with_name(f"{FILE}.{os.getpid()}")
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
