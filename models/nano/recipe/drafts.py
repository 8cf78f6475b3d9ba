"""Drafts that come late: what a language model has written is told of when it is there, in a pause or after the end.

In recorded sessions a draft is there before its words are over, so that one which comes into a silence tells that the user is not done. Before a
language model it is the rule: it is asked when the user hesitates, and whether they are done is what is to be decided
(`offer` in packages/edge/src/composite/committing.ts). Here both are written into sessions alike.
"""

import numpy as np

from labels import ACT_TURNS, TYPED_TOKENS
from losses import Batch
from vocabulary import ACT_INDEX, DRAFT, DROPPED, FLOOR_INDEX, WORDS, is_mark

DRAFTED_SHARE = 0.5
"""Of the sessions, those of somebody who talks to a language model."""
SHORTEST_TURNS = 5
"""Of an utterance that is drafted for."""
LATE_TURNS = (1, 9)
"""From the beginning of a silence to the draft: the hesitation, the words, the model."""
WHILE_SPEAKING_SHARE = 0.15
"""Of the utterances, those with a draft that the next word makes void."""
VOID_TURNS = (1, 4)
AGAIN_TURNS = 10
"""As `tellOffer` does it."""
HOLDS = (FLOOR_INDEX["speaking"], FLOOR_INDEX["holding"], FLOOR_INDEX["correcting"])
ENDS = (FLOOR_INDEX["yielded"], FLOOR_INDEX["silent"])
COMMIT = ACT_INDEX["commit"]


def tell_drafts(batch: Batch, random: np.random.Generator) -> None:
    """Writes drafts, and when to commit them, into half of the sessions of `batch`, which is on the CPU."""
    for row in range(len(batch.floor)):
        if random.random() < DRAFTED_SHARE:
            draft_session(*(np.asarray(getattr(batch, name)[row]) for name in ("floor", "play", "typed", "act")), random)


def draft_session(floor: np.ndarray, play: np.ndarray, typed: np.ndarray, act: np.ndarray, random: np.random.Generator) -> None:
    """
    One session, whose `typed` and `act` are changed.

    @param floor, play, act [M]; @param typed [M, TYPED_TOKENS]
    """
    for start, end in utterances(floor, play):
        if end - start < SHORTEST_TURNS or is_mark(typed[start : end + 2]).any():
            continue
        if random.random() < WHILE_SPEAKING_SHARE:
            told = int(random.integers(start + 2, end - 1))
            if floor[told] != FLOOR_INDEX["holding"]:
                _write(typed, told, DRAFT)
                _write(typed, min(told + int(random.integers(*VOID_TURNS)), end - 1), DROPPED)
        for first, past in runs(floor[start:end] == FLOOR_INDEX["holding"]):
            told = _wait(typed, start + first, start + past, random)
            if told is not None:
                _write(typed, start + past + int(random.integers(*VOID_TURNS)) - 1, DROPPED)
        _end(floor, play, typed, act, end, random)


def _wait(typed: np.ndarray, first: int, past: int, random: np.random.Generator) -> int | None:
    """A draft for what was said before the silence [first, past), and again while it waits; @returns when it was told first"""
    told = first + int(random.integers(*LATE_TURNS))
    for turn in range(told, past, AGAIN_TURNS):
        _write(typed, turn, DRAFT)
    return told if told < past else None


def _end(floor: np.ndarray, play: np.ndarray, typed: np.ndarray, act: np.ndarray, end: int, random: np.random.Generator) -> None:
    """A draft for the whole of what was said, committed when it is there, where nobody is heard before."""
    told = end + int(random.integers(*LATE_TURNS))
    due = told + 1
    past = due + ACT_TURNS
    if past > len(floor) or play[end:past].any() or not np.isin(floor[end:past], ENDS).all():
        return
    taken = act[due:past]
    if ((taken != 0) & (taken != ACT_INDEX["delegate"])).any():
        return
    _write(typed, told, DRAFT)
    # What is drafted is answered: nobody needs to be asked for it any more.
    act[due:past] = COMMIT


def utterances(floor: np.ndarray, play: np.ndarray) -> list[tuple[int, int]]:
    """Micro-turns [start, end) in which the user holds the floor, and after which they have left it, while the agent is not heard."""
    held = np.isin(floor, HOLDS) & (play == 0)
    return [(start, end) for start, end in runs(held) if end < len(floor) and floor[end] == FLOOR_INDEX["yielded"]]


def runs(mask: np.ndarray) -> list[tuple[int, int]]:
    """Where `mask` [n] is true without a break: [start, past) of each."""
    edges = np.flatnonzero(np.diff(np.concatenate([[0], mask.astype(np.int8), [0]])))
    return [(int(start), int(past)) for start, past in edges.reshape(-1, 2)]


def _write(typed: np.ndarray, turn: int, mark: str) -> None:
    if turn < len(typed) and np.count_nonzero(typed[turn]) < TYPED_TOKENS:
        typed[turn, np.count_nonzero(typed[turn])] = WORDS.index(mark)
