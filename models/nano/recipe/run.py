#!/usr/bin/env python3
"""Makes Nano: data, trunk, core, evaluation, bundle. Every stage picks up where it was left.

    python3 run.py all                    the shipped model, on two CPU cores
    python3 run.py all --size large       the larger variant, on a CUDA GPU
    python3 run.py trunk --minutes 50     one stage, with another budget
    python3 run.py trunk --at-most 30     the first 30 minutes of one: exit status 75, and the same command goes on
    python3 run.py all --start ../bundle  trains the core and the reader of the shipped weights on

Stages: tests, data, trunk, core, typed, export, evaluate. Data, checkpoints and the candidate bundle live in MICROTURN_NANO_HOME
(default ~/.cache/microturn/nano); only the report of the shipped size is written beside the recipe.
"""

import argparse
import multiprocessing
from pathlib import Path

import torch

from at_most import at_most
from bundle import GRAPH, write_manifest
from config import ECHO_DB, ECHO_SETS, HOME, RECIPES, REPORT, SEED, BOOTSTRAP, TEST_SHARDS
from dataset import Shards, make_shard, make_shards
from evaluate import TUNING_ECHO, TUNING_SETS, evaluate, shards_of, tune
from export import export_graph
from plots import draw
from report import write_report
from synthesis import build_native
from train_core import cache_features, core_state, load_model, outdated, train_core
from train_trunk import keep_trunk, train_trunk
from train_typed import train_typed, typed_state
from training import Plan, digest_of, is_warm
from verify import verify
from voices import Studio

DATA, ECHO, NATIVE = HOME / "data", HOME / "echo", HOME / "native"
STAGES = ("tests", "data", "trunk", "core", "typed", "export", "evaluate")
VERSION = "0.22.0"
WARM_RATE_SHARE = 0.7
"""Of the learning rate, where weights that have been trained already are trained on."""


def in_workers(count: int, task, *arguments) -> None:
    """Runs `task(worker, count, *arguments)` in `count` processes. @throws RuntimeError if one of them fails."""
    context = multiprocessing.get_context("fork")
    workers = [context.Process(target=task, args=(worker, count, *arguments)) for worker in range(count)]
    for worker in workers:
        worker.start()
    try:
        for worker in workers:
            worker.join()
    finally:
        for worker in workers:
            worker.terminate()  # those that are not through where this process was told to end
    if any(worker.exitcode for worker in workers):
        raise RuntimeError(f"a {task.__name__} worker failed: see its message above")


def _make_data(worker: int, workers: int, shards: dict[str, int], first: int = 0) -> None:
    every = [(split, first + index) for split, count in shards.items() for index in range(count)]
    make_shards(DATA, NATIVE, every[worker::workers], SEED)


def _make_echo(worker: int, workers: int) -> None:
    for split in list(ECHO_SETS)[worker::workers]:
        make_shard(ECHO, split, 0, SEED + 60, Studio(NATIVE), ECHO_SETS[split], ECHO_DB)


def _cache(worker: int, workers: int, trunk: Path, size: str) -> None:
    cache_features(Shards(DATA), trunk, size, worker, workers)


def is_finished(checkpoint: Path, minutes: float, blends: bool) -> bool:
    """
    Whether a training stage has nothing left to do: once more saved, its checkpoint would be newer than what was made from it.

    @param blends whether the last that it does is to blend its weights with those that it began from
    """
    if not checkpoint.exists():
        return False
    saved = torch.load(checkpoint, map_location="cpu")
    return saved["seconds"] >= minutes * 60 and ("blend" in saved or not blends)


def make_room(checkpoint: Path, start: Path | None) -> None:
    """
    Takes away a trunk that was kept of another bundle, or of one where this run is from scratch.

    @throws SystemExit where that was trained: it is not thrown away for a slip
    """
    if not checkpoint.exists():
        return
    saved = torch.load(checkpoint, map_location="cpu")
    if saved.get("begun") == digest_of(start):
        return
    if saved["seconds"] > 0:
        raise SystemExit(f"{checkpoint} was begun from something else than {start or 'scratch'}: move it away first")
    checkpoint.unlink()


class Run:
    """The stages of one variant."""

    def __init__(
        self,
        size: str,
        workers: int,
        minutes: float | None,
        compare: Path,
        start: Path | None,
        most_minutes: float | None = None,
        first: int = 0,
    ):
        self.most_minutes, self.first = most_minutes, first
        self.size, self.recipe, self.minutes, self.compare = size, RECIPES[size], minutes, compare
        self.start = start / GRAPH if start else None
        self.device = "cuda" if torch.cuda.is_available() else "cpu"
        self.processes = workers
        self.workers = 1 if self.device == "cuda" else workers  # a GPU is fed by one process
        suffix = "" if size == "small" else f"-{size}"
        self.trunk_file, self.core_file, self.model_file = (HOME / f"{name}{suffix}.pt" for name in ("trunk", "core", "nano"))
        self.candidate = HOME / f"candidate{suffix}"
        self.report = HOME / f"report{suffix}" if suffix else REPORT

    def tests(self) -> None:
        build_native(NATIVE)
        in_workers(self.processes, _make_data, TEST_SHARDS)
        in_workers(self.processes, _make_echo)

    def data(self) -> None:
        build_native(NATIVE)
        in_workers(self.processes, _make_data, self.recipe.shards, self.first)

    def trunk(self) -> None:
        goes_on = self.start is not None
        plan = self._plan("trunk", self.recipe.trunk_rate, goes_on)
        make_room(self.trunk_file, self.start)
        if is_finished(self.trunk_file, plan.minutes, goes_on):
            return print("the trunk is finished")
        if plan.minutes == 0:
            return keep_trunk(self.trunk_file, self.size, self.start)
        with at_most(self.most_minutes):
            train_trunk(DATA, self.trunk_file, self.size, plan, self.recipe.trunk_sessions, self.device, self.start)

    def core(self) -> None:
        goes_on = is_warm(self.trunk_file)
        plan = self._plan("core", self.recipe.core_rate, goes_on)
        if self._is_made(self.core_file, core_state(self.core_file), self.trunk_file, plan):
            return print("the core is finished: what was made of data since is for another, which begins from its bundle")
        with at_most(self.most_minutes):
            in_workers(self.processes, _cache, self.trunk_file, self.size)
            train_core(DATA, self.trunk_file, self.core_file, self.size, plan, self.recipe.core_sessions, self.device, goes_on)

    def typed(self) -> None:
        plan = self._plan("typed", self.recipe.core_rate, is_warm(self.trunk_file))
        if self._is_made(self.model_file, typed_state(self.model_file), self.core_file, plan):
            return print("the reader is finished")
        with at_most(self.most_minutes):
            train_typed(DATA, self.core_file, self.model_file, self.size, plan, self.recipe.core_sessions, self.device)

    def _is_made(self, made: Path, state: Path, source: Path, plan: Plan) -> bool:
        return not (outdated(state, source) or outdated(made, source)) and is_finished(state, plan.minutes, blends=False)

    def _plan(self, stage: str, rate: float, goes_on: bool) -> Plan:
        budget = self.recipe.going_on if goes_on else self.recipe.from_scratch
        minutes = getattr(budget, stage) if self.minutes is None else self.minutes
        return Plan(minutes, rate * (WARM_RATE_SHARE if goes_on else 1), workers=self.workers, seed=SEED)

    def export(self) -> None:
        """The graph, checked against the network it came from, and the thresholds that the tuning set asks for."""
        self.candidate.mkdir(parents=True, exist_ok=True)
        model = load_model(self.model_file, self.size)
        step = export_graph(model, self.candidate / GRAPH)
        neutral = {"words": 0.5, "floor": {"yielded": 0.5, "barge-in": 0.5}, "say": 0, "act": 0.5, "acts": {}}
        write_manifest(self.candidate, VERSION, step.state_shapes(), neutral)
        tuning = [shard for name in TUNING_SETS for shard in shards_of(DATA, name)]
        for name, difference in verify(model, self.candidate, tuning[0]).items():
            print(f"graph against network, {name}: {difference:.1e}")
        thresholds = tune(self.candidate, tuning, shards_of(ECHO, TUNING_ECHO))
        print(f"thresholds: {thresholds}")
        write_manifest(self.candidate, VERSION, step.state_shapes(), thresholds)

    def evaluate(self) -> None:
        compare = self.compare if (self.compare / "bundle.json").exists() else None
        print(write_report(self.report, evaluate(DATA, self.candidate, compare, self.report, self.processes)))
        draw(self.report, self.candidate, shards_of(DATA, "slt")[0])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("stage", choices=("all", *STAGES))
    parser.add_argument("--size", choices=tuple(RECIPES), default="small")
    parser.add_argument("--workers", type=int, default=2, help="processes (default: 2)")
    parser.add_argument("--minutes", type=float, help="time budget of a training stage")
    parser.add_argument("--at-most", type=float, metavar="MINUTES", help="ends a training stage after so long, saved; run it again to go on")
    parser.add_argument("--compare", type=Path, default=BOOTSTRAP, help="a bundle to measure beside the candidate")
    parser.add_argument("--start", type=Path, help="a bundle to go on from: its trunk stays as it is unless --minutes are given, core and reader are trained on")
    parser.add_argument("--first", type=int, default=0, help="number of the first training shard of each kind: other numbers are other sessions")
    arguments = parser.parse_args()
    if arguments.minutes is not None and arguments.minutes <= 0:
        parser.error(f"--minutes must be more than 0, got {arguments.minutes:g}")
    HOME.mkdir(parents=True, exist_ok=True)
    run = Run(
        arguments.size, arguments.workers, arguments.minutes, arguments.compare, arguments.start, arguments.at_most, arguments.first
    )
    for stage in STAGES if arguments.stage == "all" else (arguments.stage,):
        print(f"== {stage}", flush=True)
        getattr(run, stage)()


if __name__ == "__main__":
    main()
