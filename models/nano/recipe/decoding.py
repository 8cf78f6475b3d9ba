"""From probabilities to decisions, as the engine makes them from a bundle's `decoding`."""

from dataclasses import dataclass

import numpy as np

from labels import SLOT_SECONDS


@dataclass
class HeardWord:
    """A word of the transcript; `seconds` is the end of the slot that it was written in."""

    name: str
    seconds: float


SPAN_SLOTS = 3
"""Over how many slots the shares of a word are added up: a word is written into two, and seldom earlier or later by one."""
LIKELY, LEAST_SHARE = 3, 0.05
"""How many words of a slot count, and the least share of each, as the engine has room to remember."""
SHARE_DIGITS, TIE = 4, 1e-6
"""As the engine rounds them; of equal sums the newest word is taken."""


def heard_words(
    probabilities: np.ndarray, classes: list[str], threshold: float, repeat_slots: int = 4
) -> list[HeardWord]:
    """@param probabilities [slots, V] of one session, class 0 blank"""
    shares = probabilities.astype(np.float32)
    shares[:, 0] = 0
    kept = -np.sort(-shares, axis=-1)[:, LIKELY - 1 : LIKELY]
    shares[(shares < kept) | (shares <= LEAST_SHARE)] = 0
    shares = np.round(shares, SHARE_DIGITS)
    sums = sum(_later(shares, slots) for slots in range(SPAN_SLOTS))
    newest = np.maximum.reduce([_later(shares > 0, slots) * (SPAN_SLOTS - slots) for slots in range(SPAN_SLOTS)])
    best = (sums + newest * TIE).argmax(-1)
    heard, last, last_slot = [], -1, -repeat_slots
    for slot in np.flatnonzero(sums.max(-1) > threshold):
        spoken = slot + newest[slot, best[slot]] - SPAN_SLOTS
        if best[slot] != last or spoken - last_slot > repeat_slots:
            heard.append(HeardWord(classes[best[slot]], (slot + 1) * SLOT_SECONDS))
        last, last_slot = best[slot], spoken
    return heard


def _later(grid: np.ndarray, slots: int) -> np.ndarray:
    """[slots, V] moved `slots` later."""
    return grid if slots == 0 else np.concatenate([np.zeros_like(grid[:slots]), grid[:-slots]])


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
