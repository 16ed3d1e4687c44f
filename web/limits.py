"""How often one address may ask for what is cheap to ask and not cheap to answer."""

from __future__ import annotations

import time
from collections import deque
from threading import Lock
from typing import Final

_MOST_KEYS: Final = 10_000


class RateLimit:
    """At most so many uses in so many seconds for each key, counted by each process for itself."""

    def __init__(self, most: int, seconds: float) -> None:
        """Allow ``most`` uses within any ``seconds``."""
        self._most, self._seconds = most, seconds
        self._uses: dict[str, deque[float]] = {}
        self._lock = Lock()

    def allows(self, key: str) -> bool:
        """Count a use, or refuse it."""
        now = time.monotonic()
        with self._lock:
            if len(self._uses) >= _MOST_KEYS:
                self._forget(now)
            uses = self._uses.setdefault(key, deque())
            while uses and uses[0] <= now - self._seconds:
                uses.popleft()
            if len(uses) >= self._most:
                return False
            uses.append(now)
            return True

    def _forget(self, now: float) -> None:
        """Drop the keys that have not been used for a while; if that is none, all of them."""
        recent = {key: uses for key, uses in self._uses.items() if uses and uses[-1] > now - self._seconds}
        self._uses = recent if len(recent) < _MOST_KEYS else {}
