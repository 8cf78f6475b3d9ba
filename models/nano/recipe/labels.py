"""From the marks of a timeline to the targets of every head, on the grid of micro-turns and slots.

Grid: micro-turn m covers [0.2 m, 0.2 (m + 1)) s; slot (frame) f covers [0.04 f, 0.04 (f + 1)) s.
"""

from dataclasses import dataclass

import numpy as np

from synthesis import Span
from timeline import Due, Timeline
from vocabulary import ACT_INDEX, FLOOR_INDEX, PHONE_IGNORED, PHONE_INDEX, SAY_INDEX, word_class

TURN_SECONDS, SLOT_SECONDS = 0.2, 0.04
SLOTS_PER_TURN = 5
WORD_DELAY_SLOTS = 3
"""A word is written this many slots after the one that it ends in: endings are heard, not guessed."""
FLOOR_LOOK_BACK = 0.06
"""The floor of a micro-turn is the state this long before its end."""
ACT_TURNS = 2
"""An act may be decided in any of so many micro-turns from when it is due."""
TYPED_TOKENS = 8
IGNORE = 255


@dataclass
class Labels:
    """Targets of one session with T micro-turns; `IGNORE` in `say` marks micro-turns where either answer is right."""

    words: np.ndarray  # [T * SLOTS_PER_TURN] i16
    phones: np.ndarray  # [T * SLOTS_PER_TURN] u8
    floor: np.ndarray  # [T] u8
    play: np.ndarray  # [T] u8
    say: np.ndarray  # [T] u8
    act: np.ndarray  # [T] u8
    typed: np.ndarray  # [T, TYPED_TOKENS] i16, 0 where nothing was typed


def turn_of(seconds: float) -> int:
    """The micro-turn that `seconds` lies in. Rounds first: 0.6 / 0.2 is 2.9999999999999996."""
    return int(np.floor(round(seconds / TURN_SECONDS, 6)))


def label(timeline: Timeline) -> Labels:
    """All targets of one session."""
    turns = round(timeline.seconds / TURN_SECONDS)
    return Labels(
        words=word_slots(timeline.words, turns * SLOTS_PER_TURN),
        phones=phone_slots(timeline.phones, turns * SLOTS_PER_TURN),
        floor=floor_turns(timeline.floor, turns),
        play=play_turns(timeline.play, turns),
        say=say_turns(timeline.say, turns),
        act=act_turns(timeline.act, turns),
        typed=typed_turns(timeline.typed, turns),
    )


def word_slots(words: list[Span], slots: int) -> np.ndarray:
    """Each word in its own slot: a slot that is taken passes the word on to the next."""
    grid = np.zeros(slots, np.int16)
    for word in sorted(words, key=lambda span: span.end):
        slot = int(word.end / SLOT_SECONDS) + WORD_DELAY_SLOTS
        while slot < slots and grid[slot]:
            slot += 1
        if slot < slots:
            grid[slot] = word_class(word.name)
    return grid


def phone_slots(phones: list[Span], slots: int) -> np.ndarray:
    """The phone at the middle of each slot; a phone name that no head knows is ignored."""
    grid = np.zeros(slots, np.uint8)
    for phone in phones:
        first, past = (max(0, int(np.ceil(seconds / SLOT_SECONDS - 0.5))) for seconds in (phone.start, phone.end))
        grid[first:past] = PHONE_INDEX.get(phone.name, PHONE_IGNORED)
    return grid


def floor_turns(spans: list[Span], turns: int) -> np.ndarray:
    moments = TURN_SECONDS * (np.arange(turns) + 1) - FLOOR_LOOK_BACK
    grid = np.zeros(turns, np.uint8)
    for span in spans:
        grid[(moments >= span.start) & (moments < span.end)] = FLOOR_INDEX[span.name]
    return grid


def play_turns(spans: list[Span], turns: int) -> np.ndarray:
    """1 where the agent is audible in the middle of the micro-turn."""
    moments = TURN_SECONDS * (np.arange(turns) + 0.5)
    grid = np.zeros(turns, np.uint8)
    for span in spans:
        grid[(moments >= span.start) & (moments < span.end)] = 1
    return grid


def say_turns(say: list[Due], turns: int) -> np.ndarray:
    """Each agent word in the micro-turn where it is due; in the grace around it silence is neither right nor wrong."""
    grid = np.zeros(turns, np.uint8)
    for due in say:
        grid[max(0, turn_of(due.at - due.early)) : turn_of(due.at + due.late) + 1] = IGNORE
    for due in say:
        if turn_of(due.at) < turns:
            grid[turn_of(due.at)] = SAY_INDEX[due.name]
    return grid


def act_turns(acts: list[Due], turns: int) -> np.ndarray:
    grid = np.zeros(turns, np.uint8)
    for due in acts:
        turn = turn_of(due.at)
        grid[turn : turn + ACT_TURNS] = ACT_INDEX[due.name]
    return grid


def typed_turns(typed: list[tuple[float, list[str]]], turns: int) -> np.ndarray:
    """Typed words, as many as fit a micro-turn; longer texts go on in the next one."""
    grid = np.zeros((turns, TYPED_TOKENS), np.int16)
    for seconds, words in typed:
        turn = turn_of(seconds)
        for index, word in enumerate(words):
            row, column = turn + index // TYPED_TOKENS, index % TYPED_TOKENS
            if row < turns:
                grid[row, column] = word_class(word)
    return grid
