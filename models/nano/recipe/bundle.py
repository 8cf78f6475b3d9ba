"""A bundle around the step graph, and its outputs on recorded sessions."""

import hashlib
import json
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ages import load_noted
from decoding import SPAN_SLOTS
from labels import SLOTS_PER_TURN, TYPED_TOKENS, WORD_DELAY_SLOTS
from vocabulary import (
    ACT,
    AGE,
    BLANK,
    DRAFT,
    DROPPED,
    FLOOR,
    RESULT,
    SAME,
    SAY,
    SILENT,
    SPANISH,
    TYPED,
    UNKNOWN,
    WORDS,
    shown,
    typed_forms,
)

RUNNER = Path(__file__).parent / "run_bundle.mjs"
GRAPH = "step.onnx"
TURN_SAMPLES = 3_200
TURN_MS = 200
SLOT_MS = TURN_MS // SLOTS_PER_TURN
OWN_TURN_TURNS = 6
"""Playback shorter than this many micro-turns is an interjection, not a turn of the agent."""


def write_manifest(folder: Path, version: str, states: dict[str, tuple[int, ...]], thresholds: dict) -> None:
    """
    Writes `bundle.json` beside the graph in `folder`.

    @param states shapes of one row by state name; @param thresholds least probabilities by role, as evaluation chose them
    """
    graph = (folder / GRAPH).read_bytes()
    tensor = lambda name, *shape: {"tensor": name, "shape": ["B", *shape]}
    classes = lambda name, values, *shape, **more: {
        **tensor(name, *shape, len(values)),
        "values": "probabilities",
        **more,
        "classes": values,
    }
    manifest = {
        "format": "microturn-bundle/1",
        "name": "nano",
        "version": version,
        "licence": "Apache-2.0",
        "microTurnMs": 200,
        "inputHz": 16_000,
        "capabilities": [
            "words",
            "floor",
            "interrupt",
            "backchannel",
            "elsewhere",
            "echo",
            "count",
            "remind",
            "delegate",
            "repeat",
            "manner",
            "translate",
        ],
        "graph": {"file": GRAPH, "batch": "B"},
        "files": {GRAPH: {"sha256": hashlib.sha256(graph).hexdigest(), "bytes": len(graph)}},
        "inputs": {
            "pcm": tensor("pcm", TURN_SAMPLES),
            "ref": tensor("ref", TURN_SAMPLES),
            "play": tensor("play", 1),
            "text": {
                **tensor("text", TYPED_TOKENS),
                "classes": TYPED,
                "unknown": UNKNOWN,
                "aliases": typed_forms(),
                "marks": {"result": RESULT, "draft": DRAFT, "dropped": DROPPED, "age": AGE, "same": SAME},
            },
            "reset": tensor("reset", 1),
        },
        "outputs": {
            "words": classes("words", WORDS, SLOTS_PER_TURN, slotMs=SLOT_MS, blank=BLANK, unknown=UNKNOWN),
            "floor": classes("floor", FLOOR),
            "say": classes(
                "say",
                SAY,
                silent=SILENT,
                acts={"reminder": {"act": "remind", "text": "Here is your reminder."}},
                shows={
                    shown(english): {"surface": "translation", "text": spanish, "of": english}
                    for english, spanish in SPANISH.items()
                },
            ),
            "act": classes("act", ACT, says={"backchannel": "Uh-huh."}),
        },
        "states": [
            {"input": f"s_{name}", "output": f"n_{name}", "shape": ["B", *shape]} for name, shape in states.items()
        ],
        "decoding": {
            "words": {
                "threshold": thresholds["words"],
                "spanMs": SPAN_SLOTS * SLOT_MS,
                "repeatMs": 160,
                "delayMs": WORD_DELAY_SLOTS * SLOT_MS,
            },
            "floor": {"thresholds": thresholds["floor"]},
            "say": {"threshold": thresholds["say"], "repeatMs": TURN_MS},
            "act": {"threshold": thresholds["act"], "thresholds": thresholds["acts"]},
            "stop": [{"floor": "barge-in"}, {"act": "stop"}],
            # The act misses a quarter of the questions: what it misses is asked by this rule.
            "delegate": {"minSpeechMs": 800, "pauseMs": 600},
        },
    }
    (folder / "bundle.json").write_text(json.dumps(manifest, indent=2) + "\n")


@dataclass
class Outputs:
    """What a bundle made of N sessions of M micro-turns; probabilities, and the classes of each role."""

    words: np.ndarray  # [N, M * slots, V]
    floor: np.ndarray  # [N, M, C]
    say: np.ndarray  # [N, M, S]
    act: np.ndarray | None  # [N, M, A]
    manifest: dict
    step_ms: float

    def classes(self, role: str) -> list[str]:
        return self.manifest["outputs"][role]["classes"]


def run_bundle(folder: Path, shard: Path) -> Outputs:
    """
    Runs the sound of a test shard through the bundle in `folder`, with the runtime that serves it.

    A bundle whose manifest has `ownTurns` is told of the agent's turns only, as the engine does.
    """
    manifest = json.loads((folder / "bundle.json").read_text())
    sound, grids = np.load(shard / "sound.npy"), load_noted(shard)
    play, typed = grids["play"], grids["typed"]
    sessions, turns = play.shape
    if "ownTurns" in manifest["inputs"].get("play", {}):
        play = np.stack([own_turns(row) for row in play])
    with tempfile.TemporaryDirectory() as scratch:
        scratch = Path(scratch)
        (scratch / "meta.json").write_text(
            json.dumps({"sessions": sessions, "turns": turns, "textTokens": TYPED_TOKENS})
        )
        sound.astype(np.int16).tofile(scratch / "sound.i16")
        play.astype(np.float32).tofile(scratch / "play.f32")
        typed.astype(np.int32).tofile(scratch / "text.i32")
        subprocess.run(["node", str(RUNNER), str(folder), str(scratch), str(scratch)], check=True)
        read = lambda role: np.fromfile(scratch / f"{role}.f32", np.float32).reshape(
            sessions, turns, *manifest["outputs"][role]["shape"][1:]
        )
        words = read("words")
        return Outputs(
            words.reshape(sessions, -1, words.shape[-1]),
            read("floor"),
            read("say"),
            read("act") if "act" in manifest["outputs"] else None,
            manifest,
            json.loads((scratch / "timing.json").read_text())["medianMs"],
        )


def own_turns(play: np.ndarray) -> np.ndarray:
    """`play` [M] without its short runs."""
    out, start = play.copy(), None
    for turn, on in enumerate([*play, 0]):
        if on and start is None:
            start = turn
        elif not on and start is not None:
            if turn - start < OWN_TURN_TURNS:
                out[start:turn] = 0
            start = None
    return out
