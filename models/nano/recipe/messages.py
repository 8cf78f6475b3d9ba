"""Messages that are typed: instructions, which the model follows and shows by an act that it does, and whatever somebody else is to answer.

What it does nothing about becomes a task (packages/edge/src/session/read-messages.ts). In recorded sessions hardly anything but instructions
is typed; here the rest is written into them, and into sessions without sound.
"""

import math
from dataclasses import dataclass, field

import numpy as np
import torch

from ages import MOST_WORDS, OWN, REMINDER_TURNS, Note, tell_ages
from labels import ACT_TURNS, IGNORE, SLOTS_PER_TURN, TURN_SECONDS, TYPED_TOKENS, turn_of
from line import parse
from losses import Batch
from texts import Writer
from vocabulary import ACT_INDEX, MANNERS, SAY_INDEX, is_mark, number_words, typed_class
from words_alone import speak

TYPED_SHARE, MOST_MESSAGES = 0.4, 3
"""Of recorded sessions, those with messages that are written in, and how many at most."""
QUESTION_SHARE, MANNER_SHARE = 0.4, 0.2
"""Of messages in sessions without sound, those that are no instruction; and of those in recorded ones, those that are about how the agent speaks."""
INSTRUCTIONS = {
    **{"count": 0.08, "translate": 0.05, "once": 0.18, "every": 0.13, "measure": 0.12, "next": 0.1},
    **{"stop": 0.06, "cancel": 0.06, "manner": 0.16, "resume": 0.06},
}
QUESTIONS = {
    **{"open_question": 0.21, "request": 0.13, "utterance": 0.13, "about_instructions": 0.21},
    **{"answer": 0.05, "claim": 0.07, "label": 0.2},
}
"""
Shares of each; questions by the writer's name for them. A sum is left to somebody else: the core, which was trained on words without their order,
cannot add those that are typed.
"""
MOST_ROWS = 3
"""Micro-turns that a message is read in; what is longer is cut."""
FIRST_SHARE, FIRST_TURNS, NEXT_TURNS = 0.15, (1, 12), (8, 24)
"""Of sessions that begin with a message, those that do in their first micro-turn; when others do; and from one message to the next."""
UNITS_OF_TIME, MOST_NUMBER_WORDS = {typed_class("seconds"), typed_class("minutes")}, 2
ANSWER_TURNS = 2
"""From the last word of a message to the answer that the model says itself, and how long that is heard."""
LONGEST_REMINDER, LONGEST_PERIOD, LONGEST_MEASURED = 50, 12, 20
"""Seconds until a reminder, from one to the next, and of what is timed."""
MEANWHILE_SHARE, CANCELLED_SHARE = 0.6, 0.35
"""How often something else is asked until a reminder comes, and once more after that; and how many are called off."""
ASKED_TURNS = (3, 20)
"""From the end of what is timed to the question how long it took."""
MOST_COUNTED, MOST_UNCOUNTED = 4, 3
"""Animals that are named after a message asked to count them, and after another stopped that."""


def handle_typed(batch: Batch) -> None:
    """Gives the instructions that were typed in recorded sessions their act; before anything is told in them."""
    for row in range(len(batch.act)):
        for words, last in messages_in(np.asarray(batch.typed[row])):
            if words in OWN:
                _act(np.asarray(batch.act[row]), last, "handle")


def type_messages(batch: Batch, writer: Writer, random: np.random.Generator) -> None:
    """Writes questions, and some manners, into recorded sessions, where nothing else is told or done."""
    for row in range(len(batch.act)):
        if random.random() > TYPED_SHARE:
            continue
        typed, act = (np.asarray(grid[row]) for grid in (batch.typed, batch.act))
        for turn in random.integers(1, len(act), int(random.integers(1, MOST_MESSAGES + 1))):
            if typed[turn - 1 : turn + MOST_ROWS + 1].any() or act[turn : turn + MOST_ROWS + ACT_TURNS].any():
                continue
            manner = str(random.choice(["repeat", *MANNERS])) if random.random() < MANNER_SHARE else None
            last = write(typed, int(turn), parse(writer.manner(manner) if manner else question(writer, random)).words)
            if manner and last is not None:
                _act(act, last, manner)


def question(writer: Writer, random: np.random.Generator) -> list[str]:
    """What the model has no answer to, as marked tokens; some have the words of an instruction."""
    return getattr(writer, _one_of(QUESTIONS, random))()


def messages_in(typed: np.ndarray) -> list[tuple[tuple[int, ...], int]]:
    """Word classes of each message in [M, TYPED_TOKENS], and the micro-turn of its last word; what the runtime tells is none."""
    found, words = [], []
    for turn, row in enumerate(typed):
        row = [int(word) for word in row if word]
        if row and not is_mark(row[0]):
            words += row
            goes_on = len(row) == TYPED_TOKENS and turn + 1 < len(typed) and typed[turn + 1, 0] and not is_mark(typed[turn + 1, 0])
            if not goes_on:
                found.append((tuple(words), turn))
                words = []
    return found


def write(typed: np.ndarray, turn: int, words: list[str]) -> int | None:
    """Into [M, TYPED_TOKENS] from `turn` on; @returns the micro-turn of the last word, nothing where there is no room"""
    words = words[: MOST_ROWS * TYPED_TOKENS]
    last = turn + (len(words) - 1) // TYPED_TOKENS
    if last >= len(typed):
        return None
    for index, word in enumerate(words):
        typed[turn + index // TYPED_TOKENS, index % TYPED_TOKENS] = typed_class(word)
    return last


def type_many(batch: Batch, row: int, shares: torch.Tensor, writer: Writer, random: np.random.Generator) -> None:
    """One message after another into a session without sound; `shares` [T, W] of the words heard in it."""
    page = _Page(*(np.asarray(grid[row]) for grid in (batch.typed, batch.act, batch.say, batch.play)), shares, writer, random)
    turn = 0 if random.random() < FIRST_SHARE else int(random.integers(*FIRST_TURNS))
    while turn is not None:
        last = page.ask(turn) if random.random() < QUESTION_SHARE else page.instruct(_one_of(INSTRUCTIONS, random), turn)
        turn = None if last is None else last + int(random.integers(*NEXT_TURNS))
    tell_ages({name: getattr(batch, name)[row : row + 1] for name in ("typed", "act", "say", "play")}, [page.notes], random)


@dataclass
class _Page:
    """The grids of one session, which writing into changes. Each method takes the micro-turn of a message's first word, and gives that of the last
    thing that came of it; nothing where there is no room."""

    typed: np.ndarray
    act: np.ndarray
    say: np.ndarray
    play: np.ndarray
    shares: torch.Tensor
    writer: Writer
    random: np.random.Generator
    notes: list[Note] = field(default_factory=list)
    """What is noted, to be told of once all is written."""

    def ask(self, turn: int) -> int | None:
        return write(self.typed, turn, parse(question(self.writer, self.random)).words)

    def instruct(self, kind: str, turn: int) -> int | None:
        if kind in ("count", "every", "measure", "next", "once"):
            return getattr(self, f"_{kind}")(turn)
        writer, manner = self.writer, str(self.random.choice(["repeat", *MANNERS]))
        marked, act = {
            "translate": (writer.translate(), "handle"),
            "stop": (writer.stop(), "stop"),
            "cancel": (writer.cancel(), "cancel"),
            "manner": (writer.manner(manner), manner),
            "resume": (writer.resume(), "continue"),
        }[kind]
        return self._tell(turn, marked, act)

    def _tell(self, turn: int, marked: list[str], act: str) -> int | None:
        last = write(self.typed, turn, parse(marked).words)
        if last is not None:
            _act(self.act, last, act)
        return last

    def _next(self, turn: int) -> int | None:
        """The number after another, which the model says itself."""
        value = int(self.random.integers(1, 19))
        if turn + MOST_ROWS + 3 * ANSWER_TURNS >= len(self.act):
            return None
        return self._answer(self._tell(turn, self.writer.next_number(value), "handle"), value + 1)

    def _measure(self, turn: int) -> int | None:
        """How long something took whose beginning and end are typed; both are noted."""
        begin, end, question = self.writer.stopwatch()
        seconds = int(self.random.integers(2, LONGEST_MEASURED + 1))
        ended = turn + turn_of(seconds)
        asked = ended + int(self.random.integers(*ASKED_TURNS))
        if asked + MOST_ROWS + 3 * ANSWER_TURNS >= len(self.act):
            return None
        for at, marked in ((turn, begin), (ended, end)):
            self._note(at, marked)
        return self._answer(self._tell(asked, question, "handle"), seconds)

    def _answer(self, last: int, number: int) -> int:
        """Says a number to a message that ended in `last`."""
        due = last + ANSWER_TURNS
        for offset, word in enumerate(number_words(number)):
            self.say[due + offset] = SAY_INDEX[word]
        self.say[due + offset + 1] = IGNORE
        self.play[due + 1 : due + 1 + ANSWER_TURNS] = 1
        return due + ANSWER_TURNS

    def _every(self, turn: int) -> int | None:
        """A reminder every few seconds, until a message stops it; noted, as one that is spoken is."""
        period, rounds = int(self.random.integers(2, LONGEST_PERIOD + 1)), int(self.random.integers(1, 5))
        due = [turn_of(turn * TURN_SECONDS + round_ * period) for round_ in range(1, rounds + 1)]
        stop = due[-1] + int(self.random.integers(2, turn_of(period) - 2))
        if stop + MOST_ROWS + ACT_TURNS >= len(self.act):
            return None
        self._remind(turn, self.writer.remind_every(period), due)
        is_cancelled = self.random.random() < CANCELLED_SHARE
        return self._tell(stop, self.writer.cancel(), "cancel") if is_cancelled else self._tell(stop, self.writer.stop(), "stop")

    def _once(self, turn: int) -> int | None:
        """One reminder, and questions until it comes, or until nobody wants it any more."""
        seconds = int(self.random.integers(2, LONGEST_REMINDER))
        due = turn + turn_of(seconds)
        if due + 2 * REMINDER_TURNS >= len(self.act):
            return None
        soonest, latest = turn + NEXT_TURNS[0], due - MOST_ROWS - ACT_TURNS
        if soonest < latest and self.random.random() < CANCELLED_SHARE:
            cancelled = int(self.random.integers(soonest, latest))
            self._note(turn, self.writer.remind_in(seconds), cancelled * TURN_SECONDS)
            self._tell(cancelled, self.writer.cancel(), "cancel")
            return due
        last = self._remind(turn, self.writer.remind_in(seconds), [due])
        while self.random.random() < MEANWHILE_SHARE:
            asked = last + int(self.random.integers(*NEXT_TURNS))
            if asked + MOST_ROWS + ACT_TURNS >= due:
                break
            last = self.ask(asked)
        return due + REMINDER_TURNS

    def _remind(self, turn: int, marked: list[str], due: list[int]) -> int:
        for at in due:
            self.say[at - 1 : at + 2] = IGNORE
            self.say[at] = SAY_INDEX["reminder"]
            self.play[at + 1 : at + REMINDER_TURNS] = 1
        return self._note(turn, marked, due[0] * TURN_SECONDS)

    def _note(self, turn: int, marked: list[str], ends: float = math.inf) -> int:
        last = self._tell(turn, marked, "note")
        words = tuple(typed_class(word) for word in parse(marked).words)
        self.notes.append(Note(turn * TURN_SECONDS, to_time(words), last + 1, ends, spoken=False))
        return last

    def _count(self, turn: int) -> int | None:
        """Animals are counted from then on, until a message stops it."""
        last = self._tell(turn, self.writer.count_animals(), "handle")
        if last is None:
            return None
        slot = SLOTS_PER_TURN * (last + int(self.random.integers(3, 12)))
        for number in range(1, int(self.random.integers(1, MOST_COUNTED + 1)) + 1):
            slot = self._name(slot)
            due = None if slot is None else (slot + 1) // SLOTS_PER_TURN
            if due is None or due + 1 + ANSWER_TURNS >= len(self.say):
                return None
            self.say[due : due + 1 + ANSWER_TURNS] = IGNORE
            self.say[due] = SAY_INDEX[number_words(number)[0]]
            self.play[due + 1 : due + 1 + ANSWER_TURNS] = 1
        last = self._tell(due + int(self.random.integers(4, 12)), self.writer.stop(), "stop")
        if last is None:
            return None
        slot = SLOTS_PER_TURN * (last + 3)
        for _ in range(int(self.random.integers(MOST_UNCOUNTED + 1))):
            slot = self._name(slot)
            if slot is None:
                return None
        return slot // SLOTS_PER_TURN

    def _name(self, slot: int) -> int | None:
        """An animal is named; @returns the slot of it"""
        words = self.writer.sighting()
        slots = speak(self.shares, slot, words, self.random)
        return slots[-1] if len(slots) == len(words) else None


def to_time(words: tuple[int, ...]) -> tuple[int, ...]:
    """As many words as a note has: the last, but those before them where a time would be cut, as the runtime has it."""
    units = [index for index, word in enumerate(words) if word in UNITS_OF_TIME]
    cut = units and units[-1] - MOST_NUMBER_WORDS < len(words) - MOST_WORDS
    return words[: units[-1] + 1][-MOST_WORDS:] if cut else words[-MOST_WORDS:]


def _act(act: np.ndarray, last: int, name: str) -> None:
    """The model acts in the micro-turn after the last word of a message."""
    acts = act[last + 1 : last + 1 + ACT_TURNS]
    acts[acts == 0] = ACT_INDEX[name]


def _one_of(shares: dict[str, float], random: np.random.Generator) -> str:
    return str(random.choice(list(shares), p=list(shares.values())))
