"""Measures bundles on the test sets: the candidate and what it is compared with, on the same sound, by the same code."""

import json
import re
from pathlib import Path

import numpy as np

from bundle import Outputs, run_bundle
from decoding import sustained, where_likeliest
from metrics import (
    Session,
    act_measures,
    best_within,
    count_measures,
    elapsed_measures,
    floor_confusion,
    gap_curve,
    interruption_measures,
    perfect_vad,
    remind_measures,
    self_interruptions,
    word_measures,
    yield_point,
)
from vocabulary import BLANK, FLOOR, PLURALS, UNKNOWN, canonical

TEST_SETS = ("seen", "espeak", "slt", "festival")
TUNING_SET = "seen"
"""Thresholds are chosen on new sentences of training voices, never on the voices that stand in for strangers."""
GAP_TARGET = 0.25
WORD_THRESHOLDS = (0.3, 0.4, 0.5, 0.6, 0.7)
BARGE_IN_THRESHOLDS = (0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)
ACT_THRESHOLD = 0.5
VAD_SILENCES = (0.3, 0.5, 0.8)
ROLES = ("words", "floor", "say", "act")


def load_shard(shard: Path) -> list[Session]:
    arrays = {name: np.load(shard / f"{name}.npy") for name in ("floor", "play")}
    notes = json.loads((shard / "sessions.json").read_text())
    return [
        Session(arrays["floor"][row], arrays["play"][row], note["mode"], note["words"], note["events"])
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
        raise FileNotFoundError("a test set has no shards: run the data stage first")
    return sessions, outputs


def vocabulary_of(outputs: Outputs) -> set[str]:
    return {canonical(name) for name in outputs.classes("words")} - {BLANK, UNKNOWN}


def tune(bundle: Path, shards: list[Path]) -> dict:
    """The thresholds of a bundle's manifest, chosen on the tuning set."""
    sessions, outputs = run_set(bundle, shards)
    floor = outputs.classes("floor")
    point = best_within(plain_points(sessions, floor.index("yielded")), GAP_TARGET)
    words = max(
        WORD_THRESHOLDS,
        key=lambda threshold: word_measures(sessions, outputs, vocabulary_of(outputs), threshold)["f1"]["value"],
    )

    def cost(threshold):
        measures = interruption_measures(sessions, floor.index("barge-in"), threshold)
        return (
            3 * (1 - measures["detected"]["value"])
            + measures["falseOnBackchannel"]["value"]
            + measures["falseOnElsewhere"]["value"]
        )

    barge_in = min(BARGE_IN_THRESHOLDS, key=cost)
    return {
        "words": words,
        "floor": {"yielded": point["threshold"] if point else 0.5, "barge-in": barge_in},
        "say": 0,
        "act": ACT_THRESHOLD,
    }


def plain_points(sessions: list[Session], yielded: int) -> list[dict]:
    """The points of the curve that a plain threshold reaches, as the engine applies it."""
    return [point for point in gap_curve(sessions, yielded) if point["turns"] == 1]


def measure(bundle: Path, shards: list[Path], echo: list[Path], shared: set[str]) -> dict:
    """
    Every measure of one bundle on one test set.

    @param shared the words that all compared bundles know
    """
    sessions, outputs = run_set(bundle, shards)
    floor, decoding = outputs.classes("floor"), outputs.manifest["decoding"]
    yielded, barge_in = floor.index("yielded"), floor.index("barge-in")
    word_threshold, thresholds = decoding["words"]["threshold"], decoding["floor"]["thresholds"]
    curve = gap_curve(sessions, yielded)
    decided = [
        sustained(where_likeliest(session.outputs["floor"], yielded), thresholds["yielded"]) for session in sessions
    ]
    reminder = next(name for name, act in outputs.manifest["outputs"]["say"]["acts"].items() if act["act"] == "remind")
    result = {
        "sessions": len(sessions),
        "stepMs": outputs.step_ms,
        "words": word_measures(sessions, outputs, vocabulary_of(outputs), word_threshold),
        "sharedWords": word_measures(sessions, outputs, shared, word_threshold),
        "yield": yield_point(sessions, decided),
        "curve": curve,
        "bestWithinTarget": best_within(curve, GAP_TARGET),
        "perfectVad": [perfect_vad(sessions, silence) for silence in VAD_SILENCES],
        "interruption": interruption_measures(sessions, barge_in, thresholds["barge-in"]),
        "confusion": floor_confusion(sessions, floor),
        "count": count_measures(sessions, outputs),
        "remind": remind_measures(sessions, outputs, reminder),
        "elapsed": elapsed_measures(sessions, outputs),
        "act": act_measures(sessions, outputs, ACT_THRESHOLD),
    }
    if echo:
        result["selfInterruptionAt20dB"] = self_interruptions(
            run_set(bundle, echo)[0], barge_in, thresholds["barge-in"]
        )
    return result


def shards_of(data: Path, name: str) -> list[Path]:
    return sorted(
        note.parent for note in data.glob("*/sessions.json") if re.fullmatch(rf"{name}-\d+", note.parent.name)
    )


def evaluate(data: Path, echo: Path, bundles: dict[str, Path], report: Path) -> dict:
    """Measures all bundles by name on all test sets and writes `results.json` into `report`."""
    shared = set.intersection(*(_words_of(folder) for folder in bundles.values()))
    results = {
        name: {
            test: measure(folder, shards_of(data, test), shards_of(echo, test), shared)
            for test in TEST_SETS
            if shards_of(data, test)
        }
        for name, folder in bundles.items()
    }
    report.mkdir(parents=True, exist_ok=True)
    (report / "results.json").write_text(
        json.dumps({"sharedWords": len(shared), "floor": FLOOR, "bundles": results}, indent=1) + "\n"
    )
    return results


def _words_of(folder: Path) -> set[str]:
    names = json.loads((folder / "bundle.json").read_text())["outputs"]["words"]["classes"]
    return {PLURALS.get(name, name) for name in names} - {BLANK, UNKNOWN}
