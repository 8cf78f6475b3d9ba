"""Phase one: trunk and core together, from scratch, on sound."""

from pathlib import Path

import torch

from augment import augment
from dataset import Shards
from losses import deciding_losses, hearing_losses, history, to_batch
from model import SIZES, Nano
from training import Plan, train

REFRESH_CHANCE = 0.01
SPLIT_SHARES = {"train": 0.5, "skills": 0.2, "drill": 0.3}


def train_trunk(data: Path, checkpoint: Path, size: str, plan: Plan, sessions: int, device: str) -> None:
    """
    Trains a `Nano` of `size` and leaves it in `checkpoint`.

    @param sessions batch size per worker
    """
    torch.set_num_threads(1)
    torch.manual_seed(plan.seed)
    shards, model = Shards(data), Nano(SIZES[size]).to(device)

    def losses_of():
        if torch.rand(()) < REFRESH_CHANCE:
            shards.refresh()
        batch = to_batch(shards.batch(shards.draw(sessions, SPLIT_SHARES)), device)
        mel = augment(batch.mic, batch.ref)
        with torch.autocast(device, dtype=torch.bfloat16):
            words, phones, floor, say, act = model(mel, history(batch.say), batch.play, batch.typed)
        return {**hearing_losses(words, phones, batch), **deciding_losses(floor, say, act, batch)}

    train(model, losses_of, plan, checkpoint)
