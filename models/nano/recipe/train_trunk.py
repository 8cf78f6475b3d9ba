"""Phase one: trunk and core together, on sound; from scratch, or from the weights of a bundle."""

from pathlib import Path

import torch

from augment import augment, transpose
from dataset import Shards
from losses import deciding_losses, hearing_losses, history, to_batch
from model import SIZES, Nano
from precision import mixed
from training import Plan, blend, digest_of, save, train
from warm_start import weights_of

REFRESH_CHANCE = 0.01
SPLIT_SHARES = {"train": 0.41, "skills": 0.18, "drill": 0.22, "rare": 0.07, "tier2": 0.07, "minutes": 0.05, "replies": 0.07}


def keep_trunk(checkpoint: Path, size: str, start: Path) -> None:
    """Leaves the network of a step graph in `checkpoint` as it is, to train a core on or to be trained further."""
    torch.manual_seed(0)
    begun = weights_of(start, Nano(SIZES[size]))
    kept = {"optimisers": [], "step": 0, "seconds": 0.0, "begun": digest_of(start)}
    save(checkpoint, {"model": begun, "blend": begun, **kept})


def train_trunk(
    data: Path, checkpoint: Path, size: str, plan: Plan, sessions: int, device: str, start: Path | None = None
) -> None:
    """
    Trains a `Nano` of `size` and leaves it in `checkpoint`.

    @param sessions batch size per worker
    @param start the step graph to begin from, and to blend the result with; from scratch where there is none
    """
    torch.set_num_threads(1)
    torch.manual_seed(plan.seed)
    shards, model = Shards(data), Nano(SIZES[size])
    begun = None if start is None else weights_of(start, model)
    if begun and not checkpoint.exists():
        model.load_state_dict(begun)
    model.to(device)

    def losses_of():
        if torch.rand(()) < REFRESH_CHANCE:
            shards.refresh()
        batch = to_batch(shards.batch(shards.draw(sessions, SPLIT_SHARES))).to(device)
        mel = augment(batch.mic, batch.ref)
        with mixed(device):
            words, phones, floor, say, act = model(mel, transpose(batch.melody), history(batch.say), batch.play, batch.typed)
        return {**hearing_losses(words, phones, batch), **deciding_losses(floor, say, act, batch)}

    train(model, losses_of, plan, checkpoint, digest_of(start))
    if begun:
        blend(checkpoint, begun)
