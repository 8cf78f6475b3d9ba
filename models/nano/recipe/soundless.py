"""Sessions without sound: what there are too few sentences for, put into the core as words that were heard or told.

A sum, the age of a note, how long something took and whether a message is an instruction are questions of words alone, and an answer to them
is one of a large table: recorded sessions show each entry of it a few times. Here the quiet of a recorded session, as the trunk felt it, is what everything else is written into.
"""

from dataclasses import replace

import numpy as np
import torch

from ages import AGES, MOST_WORDS, NOTE_DELAY, Note, ages_of, misheard, tell_once
from labels import ACT_TURNS, IGNORE, SLOT_SECONDS, SLOTS_PER_TURN, WORD_DELAY_SLOTS, turn_of
from line import parse
from losses import Batch
from messages import type_many
from splice import ANSWER_DELAY
from texts import Writer
from vocabulary import ACT_INDEX, NUMBERS, QUIET, SAY_INDEX, WORDS, number_words, word_class
from words_alone import speak

TEXTS = ("requests", "sums", "durations", "messages", "requests", "messages")
"""What is written into each session, in turn."""
MUTED_SHARE = 0.3
"""Of the sessions, those of a microphone that is off: nothing at all is quieter than any room."""
LEAST_QUIET = 15
"""Micro-turns of quiet that a session is made of; where there are fewer, those of another are taken."""
SUM_TURNS, AGE_TURNS = (8, 20), (13, 22)
"""From one thing to the next."""
ANSWER_TURNS = 2
"""How much later a sum may be put right, and how long that is heard."""
ASKED_SHARE, OTHER_SHARE = 0.8, 0.3
"""Of what has ended, how much is asked how long it took, and how often something else is noted besides."""
SOONEST_SECONDS, LONGEST_SECONDS = 12, 69
"""A sooner reminder comes without any telling; what took longer is not told in seconds (`exchanges.LONGEST_TOLD`)."""
ROOM = ANSWER_TURNS + 1
"""Micro-turns that an answer takes."""
SMALL_WORDS, UNHEARD_SHARE = {word_class("one"), word_class("a")}, 0.3
"""What is the least heard of a reminder in one minute, and in how many of those it is not."""
STRAY_SHARE, SECONDS_SHARE = 0.2, 0.4
"""Of notes, those of nothing to be timed, and of less than a minute."""
DUE_SHARE, NEAR_SHARE = 0.45, 0.5
"""Of ages of those in minutes, the ones that were asked for, and of the others those of a minute or two more or less; half of the rest are seconds."""
MOST_TOLD, OVERDUE_SHARE = 4, 0.15
"""Of those in seconds, how many ages are told before it is time, and how many notes are told when it was."""
BETWEEN_AGES = 50
"""Micro-turns from one age of whole tens below a minute to the next."""
TIMES = {*NUMBERS, "a", "minute", "minutes"}


def fill_quiet(
    batch: Batch, shares: torch.Tensor, speaker: Writer, typist: Writer, random: np.random.Generator, texts: tuple[str, ...] = TEXTS
) -> None:
    """
    Writes sums, ages, durations or messages into each of the sessions that `hush` made.

    @param shares [B, T, W] of the words heard in them; @param speaker what is heard is in words of; @param texts for each session, in turn
    """
    for row in range(len(batch.say)):
        kind = texts[row % len(texts)]
        if kind == "requests":
            tell_many(batch, row, speaker, random)
        elif kind == "sums":
            add_up(batch, row, shares, speaker, random)
        elif kind == "durations":
            measure_many(batch, row, shares, speaker, random)
        else:
            type_many(batch, row, shares[row], typist, random)


def hush(batch: Batch, heard: torch.Tensor) -> tuple[Batch, torch.Tensor]:
    """
    As many sessions of nothing but the quiet in those of `batch`.

    @param heard [B, T, d], what the core hears in them; @returns new grids and features of the same shapes
    """
    quiet = torch.isin(batch.floor, torch.tensor(QUIET)) & (batch.play == 0) & (batch.typed == 0).all(-1)
    quiet = [row.nonzero().flatten() for row in quiet]
    calmest = max(range(len(quiet)), key=lambda row: len(quiet[row]))
    turns, rows = batch.floor.shape[1], []
    by_turn = heard.reshape(len(heard), turns, SLOTS_PER_TURN, -1)
    for row, places in enumerate(quiet):
        source, places = (row, places) if len(places) >= LEAST_QUIET else (calmest, quiet[calmest])
        start = int(torch.randint(max(1, len(places)), ()))
        order = places.roll(-start).repeat(-(-turns // max(1, len(places))))[:turns]
        rows.append(by_turn[source, order].flatten(0, 1))
    empty = {name: torch.zeros_like(grid) for name, grid in vars(batch).items() if grid is not None}
    return replace(batch, **{**empty, "floor": torch.full_like(batch.floor, QUIET[0])}), torch.stack(rows)


def mute(heard: torch.Tensor, nothing: torch.Tensor) -> None:
    """Makes some of the sessions those of a microphone that is off: `nothing` [T, d] is what the core hears of one, in `heard` [B, T, d]."""
    heard[torch.rand(len(heard)) < MUTED_SHARE] = nothing[: heard.shape[1]]


def add_up(batch: Batch, row: int, shares: torch.Tensor, writer: Writer, random: np.random.Generator) -> None:
    """
    Sums, one after another, of which the wrong ones are put right.

    @param shares [B, T, W] of the words that were heard, which the words are written into
    """
    slot, room = int(random.integers(5, 40)), SLOTS_PER_TURN * (batch.say.shape[1] - ROOM)
    while True:
        first, second = (int(number) for number in random.integers(1, 10, 2))
        right, wrong = first + second, random.random() < 0.6
        claimed = int(random.choice([n for n in range(2, 20) if n != right])) if wrong else right
        words = parse(writer.sum(first, second, claimed)).words
        last = 1 + next(index for index, word in enumerate(words) if word in ("is", "equals", "makes"))
        slots = speak(shares[row, :room], slot, words, random)
        if wrong and len(slots) > last:
            due = (slots[last] + 1) // SLOTS_PER_TURN
            batch.say[row, due : due + ROOM] = IGNORE
            batch.say[row, due] = SAY_INDEX[number_words(right)[0]]
            batch.play[row, due + 1 : due + ROOM] = 1
        if len(slots) < len(words):
            return
        slot = slots[-1] + SLOTS_PER_TURN * int(random.integers(*SUM_TURNS))


def measure_many(batch: Batch, row: int, shares: torch.Tensor, writer: Writer, random: np.random.Generator) -> None:
    """
    Ends of what began before the session: how long ago that was is told when the end is noted, and mostly asked for.

    @param shares [B, T, W] of the words that were heard, which the words are written into
    """
    slot, room = int(random.integers(5, 40)), SLOTS_PER_TURN * (batch.say.shape[1] - ROOM)
    while True:
        begin, end, question = (parse(part).words for part in writer.stopwatch())
        slots = speak(shares[row, :room], slot, end, random)
        if len(slots) < len(end):
            return
        noted = turn_of((slots[-1] + 1) * SLOT_SECONDS + NOTE_DELAY)
        batch.act[row, noted : noted + ACT_TURNS] = ACT_INDEX["note"]
        seconds = int(random.integers(2, LONGEST_SECONDS + 1))
        told = [(seconds, begin)]
        if random.random() < OTHER_SHARE:
            told.insert(int(random.integers(2)), _waiting(writer, random))
        turn = noted + 1
        for age, words in told:
            note = Note(0.0, tuple(word_class(word) for word in words)[-MOST_WORDS:])
            turn = tell_once(batch, row, turn, age, note, is_due=False)
        is_asked = random.random() < ASKED_SHARE
        words = question if is_asked else parse(writer.talk()).words
        slots = speak(shares[row, :room], SLOTS_PER_TURN * turn + int(random.integers(5, 40)), words, random)
        if len(slots) < len(words):
            return
        if is_asked:
            _answer(batch, row, turn_of((slots[-1] + 1 - WORD_DELAY_SLOTS) * SLOT_SECONDS + ANSWER_DELAY), number_words(seconds))
        slot = slots[-1] + SLOTS_PER_TURN * int(random.integers(*SUM_TURNS))


def _waiting(writer: Writer, random: np.random.Generator) -> tuple[int, list[str]]:
    """An age of something else, and what was said: a request whose time is yet to come, or none."""
    asked, words = _request(writer, random)
    while 0 < asked < SOONEST_SECONDS:
        asked, words = _request(writer, random)
    return int(random.integers(2, min(asked or LONGEST_SECONDS, LONGEST_SECONDS))), words


def _answer(batch: Batch, row: int, due: int, words: list[str]) -> None:
    """One word after another, and a single one may come late, as `Director._answer_number` has it."""
    batch.say[row, due + 1] = IGNORE
    for offset, word in enumerate(words[:2]):
        batch.say[row, due + offset] = SAY_INDEX[word]
    batch.play[row, due + 1 : due + ROOM] = 1


def tell_many(batch: Batch, row: int, writer: Writer, random: np.random.Generator) -> None:
    """Notes of many requests, each told once, of which those are reminded of whose time it is."""
    turn = int(random.integers(2, 12))
    while turn + AGE_TURNS[1] < batch.say.shape[1]:
        asked, words = _request(writer, random)
        said = tuple(word_class(word) for word in words)[-MOST_WORDS:]
        note = misheard(Note(0.0, said), random)
        is_heard = numbers_of(note.words) == numbers_of(said)
        if asked == 60 and is_heard and random.random() < UNHEARD_SHARE:  # what is asked for in minutes without a number is asked for in one
            note = Note(0.0, tuple(word for word in note.words if word not in SMALL_WORDS))
        if 0 < asked < 60:
            turn = _tell_seconds(batch, row, turn, asked, note, is_heard, random)
        else:
            age = asked if asked in AGES and random.random() < DUE_SHARE else _other_age(asked, random)
            turn = tell_once(batch, row, turn, age, note, age == asked and is_heard)
        turn += int(random.integers(*AGE_TURNS))


def _tell_seconds(batch: Batch, row: int, turn: int, asked: int, note: Note, is_heard: bool, random: np.random.Generator) -> int:
    """The last ages of a note until so many seconds are over, by the clock, and the reminder; @returns the micro-turn that all is over in."""
    turns = batch.say.shape[1]
    early = [age for age in ages_of(note) if age <= asked]
    if not early or random.random() < OVERDUE_SHARE:
        tell_once(batch, row, turn, int(random.choice([age for age in AGES if asked < age])), note, is_due=False)
        return turn + int(random.integers(BETWEEN_AGES))
    told = early[-int(random.integers(1, MOST_TOLD + 1)) :]
    for age, following in zip(told, (*told[1:], asked)):
        if turn + AGE_TURNS[1] >= turns:
            return turns
        last = tell_once(batch, row, turn, age, note, is_heard and age == asked)
        turn = max(last, turn + turn_of(following - age))
    return turn


def numbers_of(words: tuple[int, ...]) -> list[int]:
    """What tells the time in a note."""
    return [word for word in words if WORDS[word] in TIMES]


def _request(writer: Writer, random: np.random.Generator) -> tuple[int, list[str]]:
    """After how many seconds one wants to be reminded, 0 for never, and what is said."""
    kind = random.random()
    if kind < STRAY_SHARE:
        return 0, parse(writer.talk()).words
    seconds = int(random.integers(2, 60)) if kind < STRAY_SHARE + SECONDS_SHARE else 60 * writer.minutes()
    return seconds, parse(writer.remind_in(seconds)).words


def _other_age(asked: int, random: np.random.Generator) -> int:
    if asked >= 60 and random.random() < NEAR_SHARE:
        near = asked + 60 * int(random.choice([-3, -2, -1, 1, 2, 3]))
        if near in AGES:
            return near
    seconds = random.random() < 0.5
    return int(random.choice([age for age in AGES if age != asked and (age < 60) == seconds]))
