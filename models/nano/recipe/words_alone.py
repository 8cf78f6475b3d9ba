"""Words that are heard in a session without sound: shares of the trunk, as it would have them."""

import numpy as np
import torch

from vocabulary import BLANK, WORDS, word_class

WORD_SLOTS = (5, 14)
"""From the end of one word to that of the next."""


def speak(shares: torch.Tensor, slot: int, words: list[str], random: np.random.Generator) -> list[int]:
    """Writes words into `shares` [T, W], the first some time after `slot`; @returns the slots of those that there is room for."""
    slots = []
    for word in words:
        slot += int(random.integers(*WORD_SLOTS))
        if slot + 1 >= len(shares):
            break
        _hear(shares[slot : slot + 2], word_class(word), random)
        slots.append(slot)
    return slots


def _hear(slots: torch.Tensor, word: int, random: np.random.Generator) -> None:
    """A word and how sure of it the trunk is, in its slot and the one after: [2, W]."""
    sure = random.uniform(0.6, 1)
    slots[:, :] = 0
    slots[:, word], slots[:, WORDS.index(BLANK)] = sure, 1 - sure
