"""From probabilities to decisions, as the engine makes them from a bundle's `decoding`."""

from dataclasses import dataclass

import numpy as np

from labels import SLOT_SECONDS


@dataclass
class HeardWord:
    """A word of the transcript; `seconds` is the end of the slot that it was written in."""

    name: str
    seconds: float


def heard_words(
    probabilities: np.ndarray, classes: list[str], threshold: float, repeat_slots: int = 4
) -> list[HeardWord]:
    """@param probabilities [slots, V] of one session, class 0 blank"""
    heard, last, last_slot = [], -1, -repeat_slots
    best = probabilities[:, 1:].argmax(-1) + 1
    for slot in np.flatnonzero(1 - probabilities[:, 0] > threshold):
        if best[slot] != last or slot - last_slot > repeat_slots:
            heard.append(HeardWord(classes[best[slot]], (slot + 1) * SLOT_SECONDS))
        last, last_slot = best[slot], slot
    return heard


def where_likeliest(probabilities: np.ndarray, index: int) -> np.ndarray:
    """[M]: the probability of class `index` where it is the likeliest, else 0, since a floor is one of its classes."""
    return probabilities[:, index] * (probabilities.argmax(-1) == index)


def sustained(probability: np.ndarray, threshold: float, turns: int = 1) -> np.ndarray:
    """[M] bool: above `threshold` in this micro-turn and the `turns` - 1 before it."""
    above = probability > threshold
    out = above.copy()
    for back in range(1, turns):
        out[back:] &= above[:-back]
        out[:back] = False
    return out


def said_words(probabilities: np.ndarray, classes: list[str], threshold: float = 0.0) -> list[tuple[int, str]]:
    """Agent words of one session [M, S], class 0 silence: (micro-turn, name)."""
    best = probabilities.argmax(-1)
    return [
        (int(turn), classes[best[turn]]) for turn in np.flatnonzero((best > 0) & (probabilities.max(-1) > threshold))
    ]
