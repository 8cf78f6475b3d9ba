"""Chooses thresholds, and measures what a plain decision does not show: the curve behind a threshold, and confusions.

Decisions at the chosen thresholds are measured by `npm run eval` (test/eval), with the code that serves them and beside a
voice activity detector; `measured` runs it.
"""

import json
import re
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np

from ages import load_noted
from bundle import Outputs, run_bundle
from config import HOME, REPOSITORY
from metrics import (
    Session,
    best_within,
    floor_confusion,
    gap_curve,
    grid_f1,
    interruption_measures,
    own_echo,
    word_measures,
)
from vocabulary import BLANK, FLOOR, UNKNOWN, canonical

TEST_SETS = ("espeak", "slt", "festival")
TUNING_SETS = ("seen", "seen-drill")
"""Thresholds are chosen on new sentences of training voices, never on the voices that stand in for strangers."""
TUNING_ECHO = "seen-drill"
"""Of the sets with a loud echo."""
PARTS, TIMED_PART = (*TEST_SETS, "echo", "typed", "unasked", "hour"), "engine"
"""Those of `npm run eval` (test/eval/parts.ts), and the one that measures times, beside which nothing else may run."""
GAP_TARGET = 0.25
TUNING_MISSED = 0.16
"""Of the ends of turns, in the tuning sets: strangers' are missed more often, and a fifth of those may be."""
WORD_THRESHOLDS = (0.3, 0.4, 0.5, 0.6, 0.7, 0.8)
MARGIN = 0.005
"""Of F1: of thresholds so close to the best the lowest is taken, since strangers are heard less surely than those it is chosen on."""
BARGE_IN_THRESHOLDS = (0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.96, 0.97, 0.98)
ACT_THRESHOLD = 0.7
"""Not tuned: the tuning sets have none of half of the acts. Those are rarely unasked at any threshold, and strangers ask for them less surely."""
CAREFUL_ACTS = {"stop": 0.9, "commit": 0.8, "backchannel": 0.8, "handle": 0.9}
"""
Acts that the user notices at once, and that nothing takes back. At .6, of 0.15.0 still at .9, one of five sentences was stopped by its own echo
(test/integration/echo.test.ts), and of the backchannels in the tuning sets two of five came unasked. What is handled nobody answers: at .7 three
of twenty typed questions were (test/integration/typed-instructions.test.ts).
"""
SAY_THRESHOLDS = (0.0, 0.4, 0.5, 0.6, 0.7, 0.8)
MOST_FALSE_STOPS = 0.1
"""
Share of backchannels that may stop the agent, of thresholds at which its own echo does so least. Within it as many barge-ins are found in time
as can be, and of equals the surest are taken.
"""
ROLES = ("words", "floor", "say", "act")


def load_shard(shard: Path) -> list[Session]:
    grids = load_noted(shard)
    notes = json.loads((shard / "sessions.json").read_text())
    return [
        Session(grids["floor"][row], note["words"], note["events"], {role: grid[row] for role, grid in grids.items()})
        for row, note in enumerate(notes)
    ]


def run_set(bundle: Path, shards: list[Path]) -> tuple[list[Session], Outputs]:
    """All sessions of a test set with the bundle's outputs in them."""
    sessions, outputs = [], None
    for shard in shards:
        outputs = run_bundle(bundle, shard)
        for row, session in enumerate(load_shard(shard)):
            session.outputs = {
                role: getattr(outputs, role)[row] for role in ROLES if getattr(outputs, role) is not None
            }
            sessions.append(session)
    if outputs is None:
        raise FileNotFoundError("a test set has no shards: run the tests stage first")
    return sessions, outputs


def tune(bundle: Path, shards: list[Path], echoing: list[Path]) -> dict:
    """The thresholds of a bundle's manifest, chosen on the tuning sets, of which one has sessions with a loud echo."""
    sessions, outputs = run_set(bundle, shards)
    floor = outputs.classes("floor")
    points = plain_points(sessions, floor.index("yielded"))
    point = best_within(points, GAP_TARGET, TUNING_MISSED) or min(points, key=lambda point: point["missed"]["value"])
    vocabulary = {canonical(name) for name in outputs.classes("words")} - {BLANK, UNKNOWN}

    heard = {
        threshold: word_measures(sessions, outputs, vocabulary, threshold)["f1"]["value"] for threshold in WORD_THRESHOLDS
    }
    overlaps = {
        threshold: interruption_measures(sessions, floor.index("barge-in"), threshold)
        for threshold in BARGE_IN_THRESHOLDS
    }
    echoes, _ = run_set(bundle, echoing)
    stopped = {threshold: own_echo(echoes, floor.index("barge-in"), threshold)["value"] for threshold in overlaps}
    quiet = [
        threshold
        for threshold, measures in overlaps.items()
        if measures["falseOnBackchannel"]["value"] <= MOST_FALSE_STOPS and stopped[threshold] == min(stopped.values())
    ]

    return {
        "words": lowest(heard),
        "floor": {
            "yielded": point["threshold"],
            "barge-in": max(quiet, key=lambda t: (overlaps[t]["detected"]["value"], t), default=BARGE_IN_THRESHOLDS[-1]),
        },
        "say": lowest({threshold: grid_f1(sessions, "say", threshold) for threshold in SAY_THRESHOLDS}),
        "act": ACT_THRESHOLD,
        "acts": CAREFUL_ACTS,
    }


def lowest(scores: dict[float, float]) -> float:
    """Of thresholds by their F1 the lowest within MARGIN of the best."""
    return min(threshold for threshold in scores if scores[threshold] >= max(scores.values()) - MARGIN)


def plain_points(sessions: list[Session], yielded: int) -> list[dict]:
    """The points of the curve that a plain threshold reaches, as the engine applies it."""
    return [point for point in gap_curve(sessions, yielded) if point["turns"] == 1]


def curves(data: Path, bundles: dict[str, Path]) -> dict:
    """By bundle and test set: the gap curve, its best point within the target, and the floor's confusion."""
    results = {}
    for name, folder in bundles.items():
        for test in TEST_SETS:
            sessions, outputs = run_set(folder, shards_of(data, test))
            floor = outputs.classes("floor")
            curve = gap_curve(sessions, floor.index("yielded"))
            results.setdefault(name, {})[test] = {
                "sessions": len(sessions),
                "curve": curve,
                "bestWithinTarget": best_within(curve, GAP_TARGET),
                "confusion": floor_confusion(sessions, floor),
            }
    return results


def measured(bundle: Path, compare: Path | None, processes: int) -> list[dict]:
    """The figures of `npm run eval`, one object each; those that are no times in `processes` parts at once."""
    other = ["--compare", str(compare)] if compare else []
    command = ["node", "scripts/eval.mjs", "--json", "--data", str(HOME), "--bundle", str(bundle), *other]

    def part(name: str) -> list[dict]:
        run = subprocess.run([*command, "--part", name], cwd=REPOSITORY, check=True, stdout=subprocess.PIPE, text=True)
        return [json.loads(line) for line in run.stdout.splitlines()]

    with ThreadPoolExecutor(processes) as pool:
        figures = list(pool.map(part, PARTS))
    return [figure for some in (*figures, part(TIMED_PART)) for figure in some]


def shards_of(data: Path, name: str) -> list[Path]:
    return sorted(
        note.parent for note in data.glob("*/sessions.json") if re.fullmatch(rf"{name}-\d+", note.parent.name)
    )


def evaluate(data: Path, bundle: Path, compare: Path | None, report: Path, processes: int = 1) -> dict:
    """Measures `bundle`, beside `compare` where there is one, and writes `results.json` into `report`."""
    bundles = {"nano": bundle, **({"before": compare} if compare else {})}
    results = {"floor": FLOOR, "curves": curves(data, bundles), "figures": measured(bundle, compare, processes)}
    report.mkdir(parents=True, exist_ok=True)
    (report / "results.json").write_text(json.dumps(results, indent=1) + "\n")
    return results
