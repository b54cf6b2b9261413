"""Finds what no row needs any more, below ``runs/`` and in the cache folder, and removes it."""

import os
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bench.deploy.calibration import CALIBRATION
from bench.records.load import check_shape
from bench.records.predictions import EXPORTED, row_folder
from bench.records.record import RecordError, read_record
from bench.run.resume import BEGUN, TRAINED
from datamodules import shui, synthetic_hwdb
from datamodules._files import cache_folder, sha256
from datamodules.cache.stale import DRAWN, PACKED, judged_caches
from datamodules.synthetic import glyphs

WEIGHTS = ("weights.safetensors", "weights.packed")
# Only files of these names are removed.
_ROW = re.compile(r"weights\.(safetensors|packed)|curve\.json|last\.ckpt|begun_with\.sha256|predictions(@.+)?\.npz")
_MARKS = (BEGUN, TRAINED)  # of a row's folder; removed last, so that an interrupted removal can be repeated
_EXPORT = re.compile(r".+\.(onnx|zip|pickle|json|npz)")
_TEMPORARY = re.compile(r"\..+\.(\d+)\.partial")  # see datamodules._files.whole_file
_OTHERS = ("wandb",)  # folders below runs/ that other programs write


@dataclass(frozen=True)
class Unneeded:
    """A file to remove, with its size and the reason."""

    path: Path
    bytes: int
    why: str


@dataclass
class Findings:
    """The files to remove, in order; what is kept for a reason that is worth telling; the number of records."""

    files: list[Unneeded] = field(default_factory=list)
    kept: dict[Path, str] = field(default_factory=dict)
    records: int = 0

    def add(self, path: Path, why: str) -> None:
        """Note a file to remove; a symbolic link is kept."""
        if path.is_symlink():
            self.kept[path] = "a symbolic link"
        else:
            self.files.append(Unneeded(path, path.stat().st_size, why))


@dataclass
class _Needs:
    """SHA-256 of the weights and the exported files that the records of a row's folder name, and of parents' weights.

    ``damaged``: folders below ``runs`` in which everything is kept, with the reason.
    """

    weights: dict[Path, set[str]] = field(default_factory=dict)
    exports: dict[Path, set[str]] = field(default_factory=dict)
    parents: set[str] = field(default_factory=set)
    damaged: dict[Path, str] = field(default_factory=dict)


def find_unneeded(runs: Path, folders: Sequence[Path], unfinished: bool = False) -> Findings:
    """Find the files that no record below ``results`` of these folders needs. Symbolic links are not followed.

    Args:
        runs: the folder of all rows' weights, predictions and exported files.
        folders: of boards, each with ``results``; folders of boards below ``runs`` are found.
        unfinished: whether trainings and packings that could resume are unneeded too.
    """
    found = Findings()
    needs = _needs(runs, dict.fromkeys([*folders, *(path.parent for path in sorted(runs.glob("*/results")))]), found)
    for folder, names in _walk(runs):
        if damaged := [place for place in needs.damaged if folder.is_relative_to(place)]:
            found.kept[damaged[0]] = needs.damaged[damaged[0]]
            continue
        _temporary(folder, names, found)
        if len(folder.relative_to(runs).parts) == 4 and any(name in _MARKS for name in names):
            _row(folder, names, needs, unfinished, found)
    for file in sorted((cache_folder() / "glyphs").glob("*.npz")):
        if not file.stem.endswith(glyphs.traced_by()):
            found.add(file, "traced by another version of the code")
    for place in ("prepared", "synthetic_hwdb", "synthetic_shui", "glyphs", "cifar", "audit"):
        for folder, names in _walk(cache_folder() / place):
            _temporary(folder, names, found)
    codes = {"synthetic_hwdb": synthetic_hwdb.drawn_by(), "synthetic_shui": shui.drawn_by()}
    for folder, why, goes in judged_caches(codes, unfinished):
        if not goes:
            found.kept[folder] = why
            continue
        for path in sorted(folder.iterdir()):
            if path.name in PACKED or path.suffix in DRAWN:
                found.add(path, why)
    return found


def remove(files: Sequence[Unneeded], roots: Sequence[Path]) -> None:
    """Delete these files, then the folders below ``roots`` that this leaves empty."""
    for file in files:
        file.path.unlink(missing_ok=True)
    for folder in dict.fromkeys(file.path.parent for file in files):
        with suppress(OSError):  # not empty
            while any(root in folder.parents for root in roots):
                folder.rmdir()
                folder = folder.parent


def _needs(runs: Path, folders: Mapping[Path, None], found: Findings) -> _Needs:
    needs = _Needs()
    for results in (folder / "results" for folder in folders):
        for path in sorted(results.rglob("*.json")):
            try:
                record = read_record(path)
                check_shape(record, path)
                _add_record(needs, runs, record)
                found.records += 1
            except (RecordError, KeyError, TypeError, AttributeError) as error:
                reason = str(error) if isinstance(error, RecordError) else f"{path}: not a record"
                needs.damaged[runs.joinpath(*path.relative_to(results).parent.parts[:2])] = reason
    return needs


def _add_record(needs: _Needs, runs: Path, record: Mapping[str, Any]) -> None:
    if record["dataset"] is None:  # a comparison of programs
        return
    folder = row_folder(runs, record)
    needs.weights.setdefault(folder, set()).add(str(record.get("checkpoint_sha256")))
    needs.parents.add(str((record.get("parent") or {}).get("checkpoint_sha256")))
    figures = record["measurements"].values()
    needs.exports.setdefault(folder, set()).update(str(f["file_sha256"]) for f in figures if "file_sha256" in f)


def _walk(root: Path) -> Iterator[tuple[Path, list[str]]]:
    """Every folder below ``root``, with the sorted names of its files."""
    for folder, folders, names in os.walk(root):
        folders[:] = sorted(name for name in folders if not (Path(folder) == root and name in _OTHERS))
        yield Path(folder), sorted(names)


def _temporary(folder: Path, names: Sequence[str], found: Findings) -> None:
    for name in names:
        match = _TEMPORARY.fullmatch(name)
        if match and not _alive(int(match[1])):
            found.add(folder / name, "a temporary file of a process that has ended")


def _alive(process: int) -> bool:
    if os.name == "nt":  # where this signal would end it
        return True
    try:
        os.kill(process, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:  # of another user
        pass
    return True


def _row(folder: Path, names: Sequence[str], needs: _Needs, unfinished: bool, found: Findings) -> None:
    """Judge a row's folder: all of it, or only its exported files."""
    weights = {sha256(folder / name) for name in WEIGHTS if name in names}
    recorded = needs.weights.get(folder, set())
    why = "its weights are not those of its record" if weights else "its weights are missing"
    if weights & recorded or weights & needs.parents:
        why = ""
    elif TRAINED not in names or "None" in recorded:  # the row of a record without weights failed before it used them
        why = "an unfinished training"
        if not unfinished:
            found.kept[folder] = f"{why}, which the same command continues; remove it with --unfinished"
            return
    elif not recorded:
        why = "no record names this row"
    _exports(folder, needs, why, found)
    if why:
        for name in sorted(names, key=lambda name: (name in _MARKS, name)):
            if name in _MARKS or _ROW.fullmatch(name):
                found.add(folder / name, why)
            elif not _TEMPORARY.fullmatch(name):
                found.kept[folder / name] = "the suite did not write it"


def _exports(row: Path, needs: _Needs, why: str, found: Findings) -> None:
    """Judge exported files; what lies beside a needed one is kept."""
    if (row / EXPORTED).is_symlink():
        found.kept[row / EXPORTED] = "a symbolic link"
        return
    for folder, names in _walk(row / EXPORTED):
        sums = {name: sha256(folder / name) for name in names if name.startswith("recogniser.")}
        needed = set() if why else {name for name, checksum in sums.items() if checksum in needs.exports.get(row, ())}
        for name in names:
            if _TEMPORARY.fullmatch(name) or name in needed or (needed and name not in sums):
                continue
            if name == CALIBRATION and not why:
                continue
            if _EXPORT.fullmatch(name):
                found.add(folder / name, why or "no figure of its record was measured on it")
            else:
                found.kept[folder / name] = "the suite did not write it"
