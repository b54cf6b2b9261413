"""``bench run``: trains, measures and ranks the systems of a suite."""

import argparse
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench.cli._arguments import Answer, positive_int, seed
from bench.cli.doctor import check_builds
from bench.plugins import SUITES
from bench.suites._base import SCALES
from datamodules._errors import UsageError

if TYPE_CHECKING:
    from rich.console import Console

    from bench.run.plan import Plan
    from bench.training.events import Event

HELP = "train, measure and rank the systems of a suite"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the verb's arguments."""
    add = parser.add_argument
    add("--suite", required=True, metavar="NAME", help="suite to run; see: bench list suites")
    add("--dataset", metavar="NAME", help="dataset instead of the suite's own; see: bench list datasets")
    add("--data-root", type=Path, metavar="DIR|ZIP", help="folder or zip of the dataset's files")
    add("--glyphs", action="append", default=[], type=Path, metavar="DIR",
        help="folder of handwriting fonts and stroke data that synthetic writers follow; repeatable")  # fmt: skip
    add("--unlabelled", metavar="DATASET[:ROOT]",
        help="images that systems +…-retrained learn from, without labels; default: the training images. Any dataset, "
        "or image_folder:DIR (images or idx files); the row's name then ends in -retrained-on-NAME")  # fmt: skip
    add("--weights", type=Path, metavar="DIR",
        help="folder of trained weights for systems named +given: safetensors files named by architecture, such as "
        "torchvision--resnet50.safetensors")  # fmt: skip
    add("--from", dest="start", type=Path, metavar="FILE",
        help="weights that systems named +finetuned start from: the weights.safetensors of a run of the same "
        "architecture, whose classes may be others")  # fmt: skip
    add("--per-class", type=positive_int, metavar="N",
        help="train on at most N images of each class; the data set's name then ends in -N-per-class")  # fmt: skip
    add("--scale", choices=SCALES, default="quick",
        help="smoke: for CI; quick: made for two CPU cores (default); full: all 3,755 characters, "
        "hours a row; paper: the published protocol")  # fmt: skip
    add("--system", action="append", default=[], metavar="NAME",
        help="NAME[:variant][+recipe][~setting=value][+storage] instead of the default rows; repeatable")  # fmt: skip
    add("--runtime", action="append", default=[], metavar="NAME",
        help="also measure in this runtime; repeatable; see: bench list runtimes")  # fmt: skip
    which = parser.add_mutually_exclusive_group()
    which.add_argument("--seeds", type=positive_int, metavar="N",
        help="run each row with seeds 0 to N-1; the boards show mean and standard deviation")  # fmt: skip
    which.add_argument("--seed", type=seed, metavar="K", help="run each row once with this seed; default 0")
    add("--out", type=Path, metavar="DIR",
        help="where to write results/ and boards; default: leaderboards, with --scale smoke runs/smoke")  # fmt: skip
    add("--fresh", action="store_true", help="train and measure again, even if current records exist")
    add("--retime-noisy", action="store_true", help="time noisy latencies of current records again")
    add("--dry-run", action="store_true", help="print the rows, their cost and an estimated time; run nothing")
    add(
        "--wandb", choices=("off", "offline", "online"), default="off", help="also log to Weights & Biases; default off"
    )
    add("--accelerator", choices=("auto", "cpu", "gpu"), default="auto", help="device to train on; default auto")


def run(options: argparse.Namespace) -> Answer:
    """Make records and boards for a suite's rows, or estimate their cost; exit 1 if a row fails."""
    check_builds()
    from rich.console import Console

    console = Console(stderr=True, width=None if sys.stderr.isatty() else 140)
    if SUITES.load(options.suite).SUITE.kind == "comparisons":
        from bench.comparisons._run import refuse_unused, run_comparisons

        refuse_unused(options)
        return _rendered(run_comparisons(_request(options), console), _out(options), console)
    from bench.run.estimate import costs
    from bench.run.plan import make_plan
    from bench.run.resume import resume_states

    plan = make_plan(_request(options))
    states = resume_states(plan)
    rows = costs(plan, states)
    # Estimated seconds to train and evaluate each row, to export it, and to time it.
    phased = [(r["seconds_train"] + r["seconds_measure"], r["seconds_export"], r["seconds_time"]) for r in rows]
    seconds = sum(sum(phases[:-1]) / plan.request.hardware.parallel + phases[-1] for phases in phased)
    if options.dry_run:
        lines = [*map(_cost_line, rows), f"about {seconds / 60:.0f} minutes in total"]
        failed = any("error" in row for row in rows)
        return int(failed), {"rows": rows, "seconds": seconds}, "\n".join(lines)
    console.print(_opening(plan, seconds), highlight=False)
    return _run_plan(plan, states, phased, options.wandb, console)


def _run_plan(
    plan: "Plan", states: Any, phased: Sequence[tuple[float, float, float]], wandb: Any, console: "Console"
) -> Answer:
    """Run a plan with progress bars and, if requested, W&B; an interrupted run also renders its boards."""
    from bench.run.runner import run as run_plan
    from bench.run.trackers.progress import Bars
    from bench.run.trackers.wandb_tracker import WandbTracker

    request, tracker = plan.request, None
    if wandb != "off":
        group = f"{request.suite}-{plan.datamodule.info.name}-{request.scale}-{time.strftime('%Y%m%d-%H%M%S')}"
        tracker = WandbTracker(wandb, request.runs, group, lambda text: console.print(text, style="yellow"))
    try:
        with Bars(console, phased, request.hardware.parallel) as bars:

            def tell(event: "Event") -> None:
                bars(event)
                if tracker:
                    tracker(event)

            records = run_plan(plan, tell, states)
        answer = _rendered(records, request.out, console)
        if tracker:
            from bench.boards.render import board_stem
            from bench.boards.summary import summary

            first = records[0]
            picture = request.out / f"{board_stem(first['suite'], first['dataset']['name'])}.svg"
            tracker.board(summary(records), picture if picture.exists() else None)
    except KeyboardInterrupt:
        _write_boards(request.out)
        raise
    finally:
        if tracker:
            tracker.close()
    return answer


def _request(options: argparse.Namespace) -> Any:
    from bench.run.plan import Request
    from bench.training.train import Hardware

    if options.data_root is not None and options.dataset is None:
        raise UsageError("--data-root needs --dataset, the name of these files' dataset; see: bench list datasets")
    if options.dry_run and options.fresh:
        raise UsageError("--dry-run and --fresh contradict each other: a dry run measures nothing")
    if options.dry_run and options.wandb != "off":
        raise UsageError("--dry-run and --wandb contradict each other: a dry run logs nothing")
    seeds = tuple(range(options.seeds)) if options.seeds else (options.seed or 0,)
    runtimes = tuple(name for name in dict.fromkeys(options.runtime) if name != "eager")  # always timed, as latency
    return Request(
        suite=options.suite, dataset=options.dataset, scale=options.scale, data_root=options.data_root,
        glyphs=tuple(options.glyphs), start=options.start, per_class=options.per_class,
        systems=tuple(options.system), runtimes=runtimes, seeds=seeds, out=_out(options),
        fresh=options.fresh, retime_noisy=options.retime_noisy, hardware=Hardware.of(options.accelerator),
        command=options.command, unlabelled=options.unlabelled, weights=options.weights,
    )  # fmt: skip


def _cost_line(row: Mapping[str, Any]) -> str:
    head = f"{row['system']:<24} seed {row['seed']}  "
    if "error" in row:
        return f"{head}fails: {row['error']}"
    cost = f"{row['macs'] / 1e6:8.1f} M multiply-adds  {row['params'] / 1e6:7.2f} M parameters"
    if row["todo"] == "nothing":
        return f"{head}{cost}  already measured"
    return f"{head}{cost}  {row['todo']}, about {row['seconds'] / 60:.1f} min"


def _out(options: argparse.Namespace) -> Path:
    return options.out or Path("runs/smoke" if options.scale == "smoke" else "leaderboards")


def _opening(plan: Any, seconds: float) -> str:
    info = plan.datamodule.info
    kind = "synthetic data" if info.synthetic else "data"
    return (
        f"suite {plan.request.suite}, scale {plan.request.scale}, {kind} {info.name}: {info.classes} classes, "
        f"{info.sizes['train']} train, {info.sizes['val']} validation, {info.sizes['test']} test characters; "
        f"{len(plan.rows)} rows, about {seconds / 60:.0f} minutes"
    )


def _rendered(records: list[dict[str, Any]], out: Path, console: "Console") -> Answer:
    from bench.boards.summary import summary_table

    damaged = _write_boards(out)
    boards = sorted(out.glob("*.md"))
    console.print(summary_table(records))
    text = "\n".join(f"board: {path}" for path in boards)
    failed = any(r["status"] != "whole" or any("error" in m for m in r["measurements"].values()) for r in records)
    return int(failed or damaged), {"records": records, "boards": [str(path) for path in boards]}, text


def _write_boards(out: Path) -> bool:
    """Render the boards; whether a file among the results is damaged."""
    from bench.boards.render import write_boards

    damaged = write_boards(out).damaged
    for message in damaged:
        print(f"bench: {message}", file=sys.stderr)
    return bool(damaged)
