"""Which card a hash stands for."""

from __future__ import annotations

import threading

from minefusion.schemas import silver
from minefusion.schemas.persons import person_hash
from minefusion.serving.reader import Reader


class Cards:
    """The cards of each mine by their hash, worked out anew when the tables that name cards moved."""

    def __init__(self, reader: Reader, key: bytes) -> None:
        self._reader, self._key = reader, key
        self._lock = threading.Lock()
        self._known: dict[str, tuple[tuple[int, int], dict[str, str]]] = {}

    def of(self, mine: str) -> dict[str, str]:
        """Hash → card, of all cards of the mine that a definition or a position names."""
        versions = self._reader.version(silver.POSITION), self._reader.version(silver.PERSON)
        with self._lock:
            kept = self._known.get(mine)
            if kept is None or kept[0] != versions:
                rows = self._reader.sql(
                    "SELECT card_code FROM silver.person WHERE mine_code = $mine "
                    "UNION SELECT card_code FROM silver.position WHERE mine_code = $mine",
                    mine=mine,
                )
                hashes = {person_hash(self._key, mine, row["card_code"]): row["card_code"] for row in rows}
                kept = self._known[mine] = (versions, hashes)
            return kept[1]
