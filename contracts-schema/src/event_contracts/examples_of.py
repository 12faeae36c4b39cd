"""Examples of events: payloads as published, `<type>.<number>.json`."""

import json
from pathlib import Path


def newest_example(folder: Path, wire_type: str) -> dict[str, object]:
    """The payload of the example with the highest number."""
    found = folder.glob(f"{wire_type}.*.json")
    newest = max(found, key=lambda path: int(path.name.rsplit(".", 2)[1]))
    payload: dict[str, object] = json.loads(newest.read_text(encoding="utf-8"))
    return payload
