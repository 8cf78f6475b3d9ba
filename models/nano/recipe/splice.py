"""Longer waits without any new sound.

A session in which a time is measured gets another one's features put in while it passes, so that the same begin, end and
question stand up to 45 s apart; and reminders are typed into sessions that had none.
"""

import math
from dataclasses import dataclass, replace

import numpy as np
import torch

from ages import REMINDER_TURNS, Note
from dataset import SESSION_SECONDS, Shards
from features import FEATURE_NAMES
from labels import ACT_TURNS, IGNORE, SLOTS_PER_TURN, TURN_SECONDS, turn_of
from line import parse
from losses import Batch
from messages import MOST_ROWS, to_time, write
from texts import Writer
from vocabulary import ACT_INDEX, QUIET, SAY_INDEX, number_words, typed_class

LONGEST_FILLER = 150
"""Micro-turns."""
LONGEST_TOLD = 60
ANSWER_DELAY = 0.3
"""Seconds from the end of the question to its answer, as `Director._answer_number` has it."""


@dataclass(frozen=True)
class Measured:
    """A session, and of one time that is measured in it: the micro-turns in which it begins, and in which it is told."""

    index: int
    begins: int
    told: int
    seconds: float


class Splicer:
    """Draws spliced sessions from `shards`, whose features are cached under the name `features`."""

    def __init__(self, shards: Shards, features: str, notes: list[list[Note]]):
        """`notes` of each session of `shards`."""
        self._shards, self._features, self._notes = shards, features, notes
        self._measured, self._fillers = [], []
        for index, note in enumerate(shards.notes()):
            elapsed = [event for event in note["events"] if event["kind"] == "elapsed"]
            self._measured += [
                Measured(index, turn_of(event["start"]), turn_of(event["end"] + ANSWER_DELAY), event["value"])
                for event in elapsed
                if event["end"] < SESSION_SECONDS
            ]
            if note["mode"] in ("talk", "alone"):
                self._fillers.append(index)

    def batch(self, count: int) -> tuple[dict[str, np.ndarray], list[list[Note]]]:
        """`count` sessions of one length: arrays by name, as `Shards.batch` gives them, without sound; and their notes."""
        length = int(torch.randint(5, LONGEST_FILLER, ()))
        spliced, notes = [], []
        while len(spliced) < count:
            measured = self._measured[int(torch.randint(len(self._measured), ()))]
            filler = self._fillers[int(torch.randint(len(self._fillers), ()))]
            one, other = (
                {name: values[0] for name, values in self._shards.batch([index]).items() if name not in FEATURE_NAMES}
                for index in (measured.index, filler)
            )
            place, past = self._place(one, measured), _quiet_near(other["floor"], length)
            if place is not None and past is not None and measured.seconds + past * TURN_SECONDS < LONGEST_TOLD:
                joined = self._join(one, place, other, past)
                _tell(joined["say"], measured.told + past, measured.seconds + past * TURN_SECONDS)
                spliced.append(joined)
                notes.append([self._moved(note, place, past) for note in self._notes[measured.index]])
        turns = min(len(session["floor"]) for session in spliced)
        arrays = {name: np.stack([session[name][: self._steps(name, turns)] for session in spliced]) for name in spliced[0]}
        return arrays, notes

    def _moved(self, note: Note, place: int, past: int) -> Note:
        """`note` in a session that is `past` micro-turns longer from `place` on."""
        if turn_of(note.asked) >= place:
            return note.later(past)
        return replace(note, ends=note.later(past).ends) if note.ends > place * TURN_SECONDS else note

    def _place(self, session: dict[str, np.ndarray], measured: Measured) -> int | None:
        """A quiet micro-turn while the time passes."""
        quiet = np.isin(session["floor"], QUIET) & (session["play"] == 0) & (session["say"] == 0) & (session["act"] == 0)
        past = min(measured.told - 8, measured.begins + turn_of(measured.seconds))
        inside = [turn for turn in range(measured.begins + 3, past) if turn < len(quiet) and quiet[turn]]
        return inside[int(torch.randint(len(inside), ()))] if inside else None

    def _join(self, one: dict, place: int, other: dict, past: int) -> dict[str, np.ndarray]:
        joined = {}
        for name in one:
            at = self._steps(name, place)
            joined[name] = np.concatenate([one[name][:at], other[name][: self._steps(name, past)], one[name][at:]])
        return joined

    def _steps(self, name: str, turns: int) -> int:
        return turns * SLOTS_PER_TURN if name in ("words", "phones", self._features) else turns


LONGEST_REMINDER = 50
MINUTES_SHARE, RECALLED_SHARE = 0.35, 0.3
"""Of the reminders that are typed, those in minutes; and of the others those that are called off."""
RECALLING_TURNS = (8, 5)
"""From the request on, and up to when it is due, none is called off."""


def type_reminders(batch: Batch, writer: Writer) -> list[list[Note]]:
    """
    Asks every session of `batch` for one reminder, typed where nobody speaks: in any time that is left to it, or in minutes. Some call it off.

    @returns what there is to note in each
    """
    notes, turns = [], batch.say.shape[1]
    for row in range(len(batch.say)):
        notes.append([])
        quiet = torch.isin(batch.floor[row], torch.tensor(QUIET)) & (batch.play[row] == 0) & (batch.typed[row] == 0).all(1)
        places = quiet[: turns // 2].nonzero().flatten()
        if len(places) == 0:
            continue
        asked = int(places[int(torch.randint(len(places), ()))])
        minutes = writer.minutes() if torch.rand(()) < MINUTES_SHARE else 0
        seconds = int(torch.randint(2, min(LONGEST_REMINDER, int((turns - asked) * TURN_SECONDS) - 2), ()))
        words = parse(writer.remind_in(60 * minutes or seconds)).words
        last = write(np.asarray(batch.typed[row]), asked, words)
        due = asked + turn_of(seconds)
        recalled = None if minutes or torch.rand(()) >= RECALLED_SHARE else _call_off(batch, row, asked, due, quiet, writer)
        ends = math.inf if minutes else TURN_SECONDS * (due if recalled is None else recalled)
        note = to_time(tuple(typed_class(word) for word in words))
        notes[row].append(Note(asked * TURN_SECONDS, note, last + 1, ends, minutes, spoken=False))
        if not minutes and recalled is None:
            batch.say[row, due - 1 : due + 2] = IGNORE
            batch.say[row, due] = SAY_INDEX["reminder"]
            batch.play[row, due + 1 : due + REMINDER_TURNS] = 1
    return notes


def _call_off(batch: Batch, row: int, asked: int, due: int, quiet: torch.Tensor, writer: Writer) -> int | None:
    """Types that the reminder is not wanted any more, where nothing else is; @returns the micro-turn, or nothing where there is no place"""
    soonest, latest = asked + RECALLING_TURNS[0], due - RECALLING_TURNS[1]
    idle = quiet & (batch.act[row] == 0)
    places = [turn for turn in range(soonest, latest) if idle[turn : turn + MOST_ROWS + ACT_TURNS].all()]
    if not places:
        return None
    recalled = places[int(torch.randint(len(places), ()))]
    last = write(np.asarray(batch.typed[row]), recalled, parse(writer.cancel()).words)
    batch.act[row, last + 1 : last + 1 + ACT_TURNS] = ACT_INDEX["cancel"]
    return recalled


def _quiet_near(floor: np.ndarray, turn: int) -> int | None:
    """The micro-turn closest to `turn`, and at most 2 s away, before which nobody speaks."""
    near = [at for at in np.flatnonzero(np.isin(floor, QUIET)) + 1 if abs(at - turn) <= 10]
    return min(near, key=lambda at: abs(at - turn)) if near else None


def _tell(say: np.ndarray, turn: int, seconds: float) -> None:
    """Puts the answer in the place of the one that was true before, which has at most two words."""
    say[turn : turn + 2] = 0
    for offset, name in enumerate(number_words(round(seconds))):
        if turn + offset < len(say):
            say[turn + offset] = SAY_INDEX[name]
