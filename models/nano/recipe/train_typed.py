"""Phase three: reading. What is typed is told to a core that is as it was, and only how it is told is learnt.

Where nothing is typed nothing changes (`model.Typed`), so this phase takes nothing from what the core has learnt to hear; and reading
needs no sound, so it has more words, and more ways to say a thing, than the others (`typist.py`).
"""

from pathlib import Path

import torch

from dataset import Shards
from practice import HEARD, Practice
from train_core import cache_names, heard_of_nothing, load_model, losses_in, outdated
from training import Plan, save, train

KINDS = {"plain": 0.12, "joined": 0.13, "spliced": 0.05, "soundless": 0.7}
OWN_HISTORY_SHARE = 0.35
TEXTS = ("messages",)


def typed_state(checkpoint: Path) -> Path:
    """Where the training of the reader in `checkpoint` is gone on from."""
    return checkpoint.with_suffix(".typed.pt")


def train_typed(data: Path, model_file: Path, checkpoint: Path, size: str, plan: Plan, sessions: int, device: str) -> None:
    """
    Trains how the core of the model in `model_file` is told what is typed, and leaves the whole model in `checkpoint`.

    @param sessions batch size per worker, even
    """
    torch.set_num_threads(1)
    torch.manual_seed(plan.seed)
    model = load_model(model_file, size).to(device).requires_grad_(False)
    typed = model.core.typed.requires_grad_(True)
    typed.words.requires_grad_(False)  # what the runtime tells is read by these alone
    nothing = heard_of_nothing(load_model(model_file, size))
    practice = Practice(Shards(data, extra={HEARD: cache_names(size)}), sessions, plan.seed, nothing, KINDS, TEXTS)
    state = typed_state(checkpoint)
    if outdated(state, model_file):
        state.unlink(missing_ok=True)
    train(typed, losses_in(practice, model, device, OWN_HISTORY_SHARE), plan, state)
    save(checkpoint, {"model": model.state_dict()})
