"""What the heads are trained on, from the grids of a batch."""

from dataclasses import dataclass

import numpy as np
import torch
from torch.nn import functional as F

from features import FEATURE_NAMES
from labels import IGNORE
from vocabulary import ACT, FLOOR, FLOOR_INDEX, SAY, WORDS

UNKNOWN_WORD_WEIGHT = 0.5
WEIGHTS = {"words": 4.0, "phones": 0.5, "floor": 0.7, "say": 0.7, "act": 0.4}
PHONE_DELAY_SLOTS = 1
FORGET_OWN_WORD = 0.08
"""Share of own words that the teacher leaves out of the history, so that a lapse is survivable."""


def _weights(classes: list[str], special: dict[str, float], other: float = 1.0) -> torch.Tensor:
    return torch.tensor([special.get(name, other) for name in classes])


WORD_WEIGHTS = _weights(WORDS, {"<unk>": UNKNOWN_WORD_WEIGHT})
FLOOR_WEIGHTS = _weights(
    FLOOR, {"holding": 1.3, "yielded": 1.3, "correcting": 1.5, "barge-in": 4.0, "backchannel": 2.5}
)
DECISIVE_TURNS, DECISIVE_WEIGHT = {"holding": 2, "yielded": 2, "barge-in": 3, "backchannel": 3}, 3.0
"""The first micro-turns tell a pause from an end, and an interruption from a backchannel; those after them are many, and mostly repeat it."""
SAY_WEIGHTS = _weights(SAY, {"<silent>": 1.0}, other=4.0)
ACT_WEIGHTS = _weights(ACT, {"none": 1.0}, other=2.5)


@dataclass
class Batch:
    """Tensors of B sessions; see `labels.Labels` for the shapes."""

    mic: torch.Tensor | None
    ref: torch.Tensor | None
    melody: torch.Tensor | None
    words: torch.Tensor
    phones: torch.Tensor
    floor: torch.Tensor
    say: torch.Tensor
    act: torch.Tensor
    play: torch.Tensor
    typed: torch.Tensor

    def to(self, device: str) -> "Batch":
        return Batch(**{name: grid if grid is None else grid.to(device) for name, grid in vars(self).items()})


def to_batch(arrays: dict[str, np.ndarray]) -> Batch:
    """`FEATURE_NAMES` may be left out of `arrays` where what the core hears is there."""
    tensor = lambda name: torch.from_numpy(arrays[name].astype(np.float32 if name in FEATURE_NAMES else np.int64))
    batch = Batch(**{name: tensor(name) if name in arrays else None for name in Batch.__dataclass_fields__})
    batch.words = wide(batch.words)
    batch.phones = late(batch.phones, PHONE_DELAY_SLOTS, 0)
    return batch


def late(grid: torch.Tensor, steps: int, fill: int) -> torch.Tensor:
    """[B, n] moved `steps` later."""
    return F.pad(grid, (steps, 0), value=fill)[:, : grid.shape[1]]


def wide(words: torch.Tensor) -> torch.Tensor:
    """Every word fills its slot and, where it is free, the one after: the decoder takes repeats as one."""
    return torch.where(words > 0, words, late(words, 1, 0))


def history(say: torch.Tensor, forget: float = FORGET_OWN_WORD) -> torch.Tensor:
    """The agent's own word one micro-turn ago, as a teacher tells it: [B, M]."""
    spoken = say.masked_fill(say == IGNORE, 0)
    spoken = spoken.masked_fill(torch.rand(say.shape, device=say.device) < forget, 0)
    return late(spoken, 1, 0)


def _entropy(logits, targets, weights=None, ignored=-100):
    weights = None if weights is None else weights.to(logits.device)
    return F.cross_entropy(logits.float().flatten(0, 1), targets.flatten(), weight=weights, ignore_index=ignored)


def hearing_losses(words, phones, batch: Batch) -> dict[str, torch.Tensor]:
    return {
        "words": _entropy(words, batch.words, WORD_WEIGHTS),
        "phones": _entropy(phones, batch.phones, ignored=IGNORE),
    }


def decisive(floor: torch.Tensor) -> torch.Tensor:
    """[B, M]: whether this is one of the first micro-turns of what must be told from something else at once."""
    first = lambda name, turns: (floor == FLOOR_INDEX[name]) & (late(floor, turns, FLOOR_INDEX["silent"]) != FLOOR_INDEX[name])
    return sum(first(name, turns) for name, turns in DECISIVE_TURNS.items()) > 0


def _floor_loss(logits: torch.Tensor, floor: torch.Tensor) -> torch.Tensor:
    weights = FLOOR_WEIGHTS.to(logits.device)[floor] * (1 + (DECISIVE_WEIGHT - 1) * decisive(floor))
    losses = F.cross_entropy(logits.float().transpose(1, 2), floor, reduction="none")
    return (weights * losses).sum() / weights.sum()


def deciding_losses(floor, say, act, batch: Batch) -> dict[str, torch.Tensor]:
    return {
        "floor": _floor_loss(floor, batch.floor),
        "say": _entropy(say, batch.say, SAY_WEIGHTS, ignored=IGNORE),
        "act": _entropy(act, batch.act, ACT_WEIGHTS),
    }


def total(losses: dict[str, torch.Tensor]) -> torch.Tensor:
    return sum(WEIGHTS[name] * loss for name, loss in losses.items())
