"""Waking those who listen: any thread says that there is news, any number of coroutines wait for it."""

from __future__ import annotations

import asyncio


class News:
    """A number that grows with each piece of news. Listeners hold no queue, so a slow one costs nothing."""

    def __init__(self) -> None:
        self.number = 0
        self._loop: asyncio.AbstractEventLoop | None = None
        self._next: asyncio.Event | None = None

    def open(self) -> None:
        """Begin; in the loop in which the listeners wait."""
        self._loop = asyncio.get_running_loop()
        self._next = asyncio.Event()

    def tell(self) -> None:
        """There is news; from any thread."""
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._wake)

    async def wait(self, heard: int, timeout_s: float) -> None:
        """Until there is news after number `heard`, or the time is over."""
        if self.number != heard or self._next is None:
            return
        try:
            await asyncio.wait_for(self._next.wait(), timeout_s)
        except TimeoutError:
            return

    def _wake(self) -> None:
        self.number += 1
        woken, self._next = self._next, asyncio.Event()
        if woken is not None:
            woken.set()
