"""What W&B wrote offline, read without W&B's own reader, which it does not offer to others."""

import json
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import wandb
from wandb.proto import wandb_internal_pb2

# The LevelDB log format: blocks of 32 KiB, each record with a header of crc32, length and kind; W&B's files start
# with 7 bytes of their own.
BLOCK, HEADER, FILE_HEADER = 32768, struct.Struct("<IHB"), 7
WHOLE, FIRST, MIDDLE, LAST = 1, 2, 3, 4


def read_runs(folder: Path) -> dict[str, dict[str, Any]]:
    """Each run below a folder by its name: config, history, summary, exit code, group and host."""
    wandb.teardown()  # as at the end of the process: its service writes behind
    runs = [_read(path) for path in sorted(folder.rglob("run-*.wandb"))]
    return {run["name"]: run for run in runs}


def _read(path: Path) -> dict[str, Any]:
    run: dict[str, Any] = {"path": path, "config": {}, "history": [], "summary": {}, "exit": None}
    for content in _records(path.read_bytes()):
        record = wandb_internal_pb2.Record()
        record.ParseFromString(content)
        if record.HasField("run"):
            run.update(name=record.run.display_name, group=record.run.run_group, host=record.run.host)
            run["config"].update(_items(record.run.config.update))
        elif record.HasField("history"):
            run["history"].append(_items(record.history.item))
        elif record.HasField("summary"):
            run["summary"].update(_items(record.summary.update))
        elif record.HasField("exit"):
            run["exit"] = record.exit.exit_code
    return run


def _items(items: Any) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for item in items:
        *above, last = item.nested_key or [item.key]
        place = found
        for key in above:
            place = place.setdefault(key, {})
        place[last] = json.loads(item.value_json)
    return found


def _records(content: bytes) -> Iterator[bytes]:
    place, parts = FILE_HEADER, []
    while place + HEADER.size <= len(content):
        left = BLOCK - place % BLOCK
        if left < HEADER.size:
            place += left
            continue
        _, length, kind = HEADER.unpack_from(content, place)
        parts.append(content[place + HEADER.size : place + HEADER.size + length])
        place += HEADER.size + length
        if kind in (WHOLE, LAST):
            yield b"".join(parts)
            parts = []
