"""Persistent clock of the all-in-one, stored in the data folder across restarts."""

import json
from datetime import datetime, timedelta
from pathlib import Path

from shared.clock import TravelClock


class PersistentClock(TravelClock):
    """A clock whose offset is stored in the data folder."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self._path = path
        if path.exists():
            self.shift = timedelta(seconds=json.loads(path.read_text())["shift_seconds"])

    def travel_to(self, instant: datetime) -> None:
        """Set the current instant, also after a restart."""
        super().travel_to(instant)
        self._path.write_text(json.dumps({"shift_seconds": self.shift.total_seconds()}))
