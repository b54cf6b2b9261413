"""What the verbs of ``bench`` do: each takes the parsed options and returns (exit code, JSON document, text)."""

import argparse
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rich.console import Console

from bench.cli import doctor as environment
from bench.plugins import SUITES
from datamodules._files import cache_folder

Answer = tuple[int, Any, str]


def run(options: argparse.Namespace) -> Answer:
    """``bench run``: records and boards for a suite's rows."""
    environment.check_builds()
    console = Console(stderr=True, width=None if sys.stderr.isatty() else 140)
    if SUITES.load(options.suite).SUITE.kind == "comparisons":
        from bench.comparisons._run import refuse_unused, run_comparisons

        refuse_unused(options)
        return _rendered(run_comparisons(_request(options), console), _out(options), console)
    from bench.run.estimate import costs
    from bench.run.plan import make_plan
    from bench.run.progress import Bars
    from bench.run.runner import run as run_plan
    from bench.run.wandb_tracker import make_tracker

    request = _request(options)
    plan = make_plan(request)
    rows = costs(plan)
    abreast = request.hardware.abreast
    phased = [_phases(row) for row in rows]
    seconds = sum(sum(phases[:-1]) / abreast + phases[-1] for phases in phased)
    if options.dry_run:
        lines = [*map(_cost_line, rows), f"about {seconds / 60:.0f} minutes in all"]
        failed = any("error" in row for row in rows)
        return int(failed), {"rows": rows, "seconds": seconds}, "\n".join(lines)
    console.print(_opening(plan, seconds), highlight=False)
    group = f"{request.suite}-{plan.datamodule.info.name}-{request.scale}-{time.strftime('%Y%m%d-%H%M%S')}"
    tracker = make_tracker(options.wandb, request.runs, group, lambda text: console.print(text, style="yellow"))
    try:
        with Bars(console, phased, abreast) as bars:
            records = run_plan(plan, bars, tracker)
        answer = _rendered(records, request.out, console)
        _track_board(tracker, records, request.out)
    except KeyboardInterrupt:
        _write_boards(request.out)
        raise
    finally:
        tracker.close()
    return answer


def profile(options: argparse.Namespace) -> Answer:
    """``bench profile``: the cost of one system, without training."""
    environment.check_builds()
    from bench.run.profile import LONG, profile_system

    launches = LONG if options.long else 1
    record = profile_system(
        options.system, options.classes, options.runtime, options.checkpoint, options.command, launches
    )
    failed = [name for name, found in record["measurements"].items() if found.get("value") is None]
    from bench.boards.profile_text import lines

    found = lines(record)
    width = max(len(name) for name, _ in found)
    return int(bool(failed)), record, "\n".join(f"{name:<{width}}  {text}" for name, text in found)


def compare(options: argparse.Namespace) -> Answer:
    """``bench compare``: two records, from stored per-image predictions."""
    from bench.records.compare import compare as compare_records
    from bench.records.compare import format_comparison

    a, b = (_find_record(name, options) for name in (options.a, options.b))
    found = compare_records(a, b, Path("runs"))
    return 0, found, format_comparison(found)


def render(options: argparse.Namespace) -> Answer:
    """``bench render``: records into boards, or whether they agree."""
    from bench.boards.render import check_boards, write_boards
    from bench.run.plan import UsageError

    if not (options.out / "results").is_dir():
        raise UsageError(f"{options.out}: no folder results/ with records in it; run: bench run --suite hccr")
    if options.check:
        problems = check_boards(options.out)
        return int(bool(problems)), {"problems": problems}, "\n".join(problems) or "boards agree with their records"
    done = write_boards(options.out)
    lines = [f"wrote {path}" for path in done.written] + [f"removed {path}" for path in done.removed]
    document = {
        "written": [str(path) for path in done.written],
        "removed": [str(path) for path in done.removed],
        "damaged": done.damaged,
    }
    return int(bool(done.damaged)), document, "\n".join(lines + done.damaged) or "boards agree with their records"


def audit(options: argparse.Namespace) -> Answer:
    """``bench audit``: one verdict for each published figure."""
    from bench.audit.auditor import audit as audit_claims
    from bench.audit.claims import load_claims, load_contradictions
    from bench.audit.contradictions import settle
    from bench.audit.files import Files
    from bench.audit.weights import WeightsFolder
    from bench.boards.audit_page import counted, settled_counted
    from bench.boards.render import present_protocols
    from bench.records.load import read_stored
    from bench.run.plan import UsageError

    if options.weights and not options.with_storage:
        raise UsageError("--weights: files are written with --with-storage alone; add it")
    given = WeightsFolder(options.weights) if options.weights else None
    files = Files(cache_folder() / "audit", given) if options.with_storage else None
    verdicts = audit_claims(load_claims(), read_stored(options.out)[0], present_protocols(), files)
    wrong = [f"{found.claim.id}: printed {found.claim.printed}; {found.why}" for found in verdicts
             if found.verdict == "contradicted"]  # fmt: skip
    noted = settle(load_contradictions(), verdicts)
    place = f"every claim, with what was measured: {options.out / 'audit.md'}, written by bench render"
    place += "; sizes of files stand there as a sample shows them" if files else ""
    document = {
        "claims": [found.as_dict() for found in verdicts],
        "contradictions": [one.as_dict() for one in noted],
    }
    return 0, document, "\n".join([*wrong, counted(verdicts), settled_counted(noted), place])


def doctor(options: argparse.Namespace) -> Answer:
    """``bench doctor``: is this environment fit, and what to install if not."""
    checks = environment.checks()
    width = max(len(check["name"]) for check in checks)
    lines = [f"{'ok ' if check['ok'] else 'NOT'} {check['name']:<{width}}  {check['text']}" for check in checks]
    return int(not all(check["ok"] or check["optional"] for check in checks)), checks, "\n".join(lines)


def _request(options: argparse.Namespace) -> Any:
    from bench.run.plan import Request, UsageError
    from bench.training.train import Hardware

    if options.data_root is not None and options.dataset is None:
        raise UsageError("--data-root needs --dataset: which dataset are these files? See: bench list datasets")
    if options.dry_run and options.fresh:
        raise UsageError("--dry-run and --fresh contradict each other: a dry run measures nothing")
    if options.dry_run and options.wandb != "off":
        raise UsageError("--dry-run and --wandb contradict each other: a dry run logs nothing")
    seeds = tuple(range(options.seeds)) if options.seeds else (options.seed or 0,)
    runtimes = tuple(name for name in dict.fromkeys(options.runtime) if name != "eager")  # always timed, as latency
    return Request(
        suite=options.suite, dataset=options.dataset, scale=options.scale, data_root=options.data_root,
        systems=tuple(options.system), runtimes=runtimes, seeds=seeds, out=_out(options),
        fresh=options.fresh, hardware=Hardware.of(options.accelerator),
        command=options.command, unlabelled=options.unlabelled, weights=options.weights,
    )  # fmt: skip


def _cost_line(row: Mapping[str, Any]) -> str:
    head = f"{row['system']:<24} seed {row['seed']}  "
    if "error" in row:
        return f"{head}fails: {row['error']}"
    cost = f"{row['macs'] / 1e6:8.1f} M multiply-adds  {row['params'] / 1e6:7.2f} M parameters"
    if row["todo"] == "nothing":
        return f"{head}{cost}  kept"
    return f"{head}{cost}  {row['todo']}, about {row['seconds'] / 60:.1f} min"


def _out(options: argparse.Namespace) -> Path:
    return options.out or Path("runs/smoke" if options.scale == "smoke" else "leaderboards")


def _phases(row: Mapping[str, Any]) -> tuple[float, float, float]:
    """Estimated seconds of a row's training with its figures, of its export, and of its timing."""
    return row["seconds_train"] + row["seconds_measure"], row["seconds_export"], row["seconds_time"]


def _opening(plan: Any, seconds: float) -> str:
    info = plan.datamodule.info
    kind = "synthetic data" if info.synthetic else "data"
    return (
        f"suite {plan.request.suite}, scale {plan.request.scale}, {kind} {info.name}: {info.classes} classes, "
        f"{info.sizes['train']} train, {info.sizes['val']} validation, {info.sizes['test']} test characters; "
        f"{len(plan.rows)} rows, about {seconds / 60:.0f} minutes"
    )


def _rendered(records: list[dict[str, Any]], out: Path, console: Console) -> Answer:
    from bench.boards.render import summary_table

    damaged = _write_boards(out)
    boards = sorted(out.glob("*.md"))
    console.print(summary_table(records))
    text = "\n".join(f"board: {path}" for path in boards)
    failed = any(r["status"] != "whole" or any("error" in m for m in r["measurements"].values()) for r in records)
    return int(failed or damaged), {"records": records, "boards": [str(path) for path in boards]}, text


def _write_boards(out: Path) -> bool:
    """Render the boards, and say whether a file among the results is damaged."""
    from bench.boards.render import write_boards

    damaged = write_boards(out).damaged
    for message in damaged:
        print(f"bench: {message}", file=sys.stderr)
    return bool(damaged)


def _track_board(tracker: Any, records: list[dict[str, Any]], out: Path) -> None:
    from bench.boards.render import board_stem, summary

    first = records[0]
    picture = out / f"{board_stem(first['suite'], first['dataset']['name'])}.svg"
    tracker.board(summary(records), picture if picture.exists() else None)


def _find_record(name: str, options: argparse.Namespace) -> Mapping[str, Any]:
    from bench.boards.render import default_dataset
    from bench.records.compare import find_record
    from bench.records.provenance import machine
    from bench.records.record import read_record

    if name.endswith(".json"):
        return read_record(Path(name))
    SUITES.check(options.suite)
    wanted = {
        "suite": options.suite, "scale": options.scale, "system": name, "seed": options.seed, "machine": machine(),
        "dataset": {"name": options.dataset or default_dataset(options.suite)},
    }  # fmt: skip
    return find_record(options.out / "results", wanted)
