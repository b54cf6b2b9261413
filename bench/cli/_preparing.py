"""``bench data prepare``: a dataset's files into its packed cache, or whether that is whole."""

import time
from pathlib import Path
from typing import Any

from bench.run.plan import UsageError
from datamodules import DATASETS
from datamodules._base import DataSettings
from datamodules._casia import HandwritingDatabase, differences
from datamodules._errors import DataError

SHOWN = 20  # bad records said one by one; the count is exact


def prepare_dataset(name: str, data_root: Path, skip_bad: bool) -> tuple[int, dict[str, Any], str]:
    """Pack a dataset's files, unless their cache is there.

    Args:
        name: of a dataset that is packed.
        data_root: the folder or archive with its files.
        skip_bad: leave bad records out and count them, instead of stopping at the first.

    Returns: exit code 0, the document, the text.

    Raises:
        UsageError: a dataset that needs no preparing.
        DataError: a missing part, a damaged file, or a full disk.
    """
    datamodule = _packed(name, data_root)
    started = time.monotonic()
    problems: list[DataError] = []
    prepared = datamodule.prepare(problems.append if skip_bad else None)
    seconds = time.monotonic() - started
    counts = {
        role: {what: prepared.count(key, role) for what, key in
               (("characters", "count"), ("other_symbols", "dropped"), ("bad", "bad"))}
        for role in ("train", "test")
    }  # fmt: skip
    notes = differences(datamodule.protocol, prepared)
    document = {"dataset": name, "cache": str(prepared.folder), **counts, "content": f"sha256:{prepared.content}",
                "notes": notes, "seconds": seconds}  # fmt: skip
    lines = [f"{error}" for error in problems[:SHOWN]]
    lines += [f"and {len(problems) - SHOWN:,} more bad records"] * (len(problems) > SHOWN)
    lines += [
        f"{role}: {found['characters']:,} characters; {found['other_symbols']:,} other symbols dropped, "
        f"{found['bad']:,} bad records left out"
        for role, found in counts.items()
    ]
    return 0, document, "\n".join([*lines, f"prepared: {prepared.folder}"])


def check_dataset(name: str, data_root: Path) -> tuple[int, dict[str, Any], str]:
    """Read a dataset's cache and its sources again, and compare both with what was noted when it was prepared.

    Returns: exit code 1 where something differs or no cache is there, the document, the text.

    Raises:
        UsageError: a dataset that needs no preparing.
        DataError: a missing part or a damaged archive.
    """
    problems = _packed(name, data_root).check()
    text = "\n".join(problems) or f"{name}: the cache is whole and agrees with its sources"
    return int(bool(problems)), {"dataset": name, "problems": problems}, text


def _packed(name: str, data_root: Path) -> HandwritingDatabase:
    try:
        datamodule = DATASETS.load(name).build(DataSettings(data_root))
    except ValueError as error:
        raise UsageError(str(error)) from error
    if not isinstance(datamodule, HandwritingDatabase):
        raise UsageError(f"{name} needs no preparing; bench run reads its files as they are")
    return datamodule
