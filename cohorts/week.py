"""A week as everybody counts it: its days, and the half hours it is cut into."""

from __future__ import annotations

from typing import Final

WEEKDAYS: Final = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
SLOT_MINUTES: Final = 30
SLOTS: Final = 336
"""Half hours in a week; slot 0 starts on Monday at 00:00."""
