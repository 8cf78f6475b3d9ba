"""The exported graph in its runtime against the network in torch, on sound."""

from pathlib import Path

import numpy as np
import torch

from ages import load_noted
from bundle import run_bundle
from model import Nano
from features import log_mel
from melody import melody

LIMIT = 2e-3
SCALE = 32_767


class MismatchError(RuntimeError):
    """The graph and the network disagree: the export is wrong."""


def verify(model: Nano, bundle: Path, shard: Path) -> dict[str, float]:
    """
    Runs a test shard through both, the network being given the words that the graph said.

    @returns the largest difference of probabilities by role; @throws MismatchError above LIMIT
    """
    outputs = run_bundle(bundle, shard)
    sound, grids = np.load(shard / "sound.npy"), load_noted(shard)
    mel = np.stack(
        [
            np.concatenate([log_mel(stream.astype(np.float32) / SCALE) for stream in session], axis=-1)
            for session in sound
        ]
    )
    said = outputs.say.argmax(-1)
    own_word = np.concatenate([np.zeros_like(said[:, :1]), said[:, :-1]], axis=1)
    with torch.no_grad():
        words, _, floor, say, act = model(
            torch.from_numpy(mel.astype(np.float32)),
            torch.from_numpy(np.stack([melody(session[0].astype(np.float32) / SCALE) for session in sound])),
            *(torch.from_numpy(array.astype(np.int64)) for array in (own_word, grids["play"], grids["typed"])),
        )
    differences = {
        name: float(np.abs(ours.softmax(-1).numpy() - theirs).max())
        for name, ours, theirs in (
            ("words", words, outputs.words),
            ("floor", floor, outputs.floor),
            ("say", say, outputs.say),
            ("act", act, outputs.act),
        )
    }
    if max(differences.values()) > LIMIT:
        raise MismatchError(f"graph and network differ by {differences}, more than {LIMIT}")
    return differences
