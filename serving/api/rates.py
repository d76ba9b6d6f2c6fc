"""How often somebody may ask: a bucket of asks that fills at a steady rate."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

# Buckets that nobody draws from are full again, so they may be forgotten.
MOST_BUCKETS = 10_000


@dataclass
class Rate:
    """At most `burst` at once and `per_s` a second in the long run, for each name apart."""

    per_s: float
    burst: int
    clock: Callable[[], float] = time.monotonic
    _left: dict[str, tuple[float, float]] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def wait_s(self, name: str) -> int:
        """Draw one: 0 where there was one, else the whole seconds until there is."""
        with self._lock:
            now = self.clock()
            if len(self._left) >= MOST_BUCKETS:
                self._left.clear()
            left, at = self._left.get(name, (float(self.burst), now))
            left = min(self.burst, left + (now - at) * self.per_s)
            if left < 1:
                self._left[name] = (left, now)
                return math.ceil((1 - left) / self.per_s)
            self._left[name] = (left - 1, now)
            return 0

    def give_back(self, name: str) -> None:
        """Undo a draw, such as that of a login that succeeded."""
        with self._lock:
            if name in self._left:
                left, at = self._left[name]
                self._left[name] = (min(self.burst, left + 1), at)
