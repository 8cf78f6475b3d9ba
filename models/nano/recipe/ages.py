"""Notes: what the user asked for, which the runtime gives back as text, with how old it is.

Attention looks back 64 s. At the end of what is to be timed the model acts `note`; the runtime (packages/edge/src/engine/notes.ts) keeps
the words and tells them again at the ages below, and the model decides what that means. Here the same is written into sessions
that were recorded without it.
"""

import json
import math
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from decoding import heard_words
from labels import ACT_TURNS, IGNORE, SLOT_SECONDS, SLOTS_PER_TURN, TURN_SECONDS, TYPED_TOKENS, WORD_DELAY_SLOTS, turn_of
from losses import Batch
from stage import heard_at
from synthesis import Span
from texts import own_phrases
from vocabulary import ACT_INDEX, AGE, SAME, SAY_INDEX, SILENT, UNKNOWN, WORDS, is_mark, number_words, word_class

AGES = (10, 20, 30, 40, 50, *range(60, 3_601, 60))
"""Seconds after which a note is told."""
MATCHED_AGES = tuple(age for age in range(11, 60) if age % 10)
"""Those after which it is told only where it has their words: how long each of these is must not be counted."""
MINUTE_FORMS = [[word_class(word) for word in form.split()] for form in ("one minute", "a minute", "sixty seconds", "in minutes")]
"""The last is what is left of the first two where the small word was not heard, as it often is not with strangers."""
MOST_SECONDS = 99
"""What is older is told in whole minutes that are over."""
MOST_WORDS, UTTERANCE_GAP = 10, 1.5
"""Of a note: its last words, up to a gap of so many seconds."""
NOTE_DELAY = 0.2
INSTRUCTED_GAP = 0.45
"""Seconds without a word after an instruction: what is followed by more at once is none."""
STRAY_TURNS = 2
"""From the end of something that is noted by mistake to the act."""
MOST_NOTES = 4
"""Of more, the oldest goes that waits for nothing, and of those that do the oldest."""
TIMED = {"remind", "recalled", "elapsed", "minutes"}
"""Events that begin with something to note."""
WORD_THRESHOLD, HEARD_SLOTS = 0.6, 250
"""What counts as heard, and how far back the words of a note are looked for."""
UNTOLD_SHARE, MISHEARD_SHARE = 0.12, 0.04
"""Of notes that the model did not take, and of words that it did not hear as they were said."""
STRAY_SHARE = 0.15
"""Of sessions with a note of something that nobody wants to be timed."""
HURRIED_SHARE, HURRIED_TURNS = 0.7, (6, 30)
"""Of reminders in minutes, those in which time passes faster than the clock from some age on, and how soon the next is told then."""
REMINDER_TURNS = 6
OWN_NAMES = own_phrases()
OWN = {tuple(word_class(word) for word in phrase) for phrase in OWN_NAMES}
"""What needs neither a note nor an answer."""


@dataclass(frozen=True)
class Note:
    """One note of a session. Times in seconds."""

    asked: float
    words: tuple[int, ...]
    acted: int | None = None
    """The micro-turn of the act that is wanted; none where it was taken by mistake."""
    ends: float = math.inf
    """When the reminder is said, or nobody wants it any more."""
    minutes: int = 0
    """Where a reminder was asked for in so many, in a session that is too short for one."""
    spoken: bool = True
    act: str = "note"
    """`handle` of an instruction that needs no clock: it has no words, and is never told."""

    @property
    def told_from(self) -> int:
        """The first micro-turn in which the runtime may tell of it, and tells how old those are that it has already."""
        return 1 + (turn_of(self.asked) + STRAY_TURNS if self.acted is None else self.acted)

    @property
    def waits(self) -> bool:
        """Whether it is a request for something to come."""
        return self.minutes > 0 or self.ends < math.inf

    def later(self, turns: int) -> "Note":
        seconds = turns * TURN_SECONDS
        acted = None if self.acted is None else self.acted + turns
        return replace(self, asked=self.asked + seconds, acted=acted, ends=self.ends + seconds)


def notes_of(session: dict, typed: np.ndarray, strays: np.random.Generator | None = None) -> list[Note]:
    """
    What there is to note in a session; with `strays` in some also what is not.

    @param session its words and events, as `dataset.make_shard` wrote them; @param typed [M, TYPED_TOKENS] of it
    """
    events, spoken = session["events"], [Span(word["name"], word["start"], word["end"]) for word in session["words"]]
    notes = []
    for event in events:
        if event["kind"] not in TIMED:
            continue
        asked = event["start"]
        ends, minutes = math.inf, 0
        if event["kind"] in ("remind", "recalled"):
            ends = event["end"]
        elif event["kind"] == "minutes":
            minutes = int(event["value"])
        words, acted = utterance(spoken, asked), turn_of(heard_at(Span("", asked, asked)) + NOTE_DELAY)
        is_spoken = len(words) > 0
        if not is_spoken:
            words, acted = typed_at(typed, turn_of(asked)), turn_of(asked) + 1
        if words:  # a reminder every N seconds is asked for once
            notes.append(Note(asked, words, acted, ends, minutes, is_spoken))
        if event["kind"] == "elapsed":
            done = asked + event["value"]
            notes.append(Note(done, utterance(spoken, done), turn_of(heard_at(Span("", done, done)) + NOTE_DELAY)))
    for cancel in (event["end"] for event in events if event["kind"] == "cancel"):
        newest = max((note for note in notes if note.minutes and note.asked < cancel < note.ends), key=lambda note: note.asked, default=None)
        notes = [replace(note, ends=cancel) if note is newest else note for note in notes]
    notes += [
        Note(end, (), turn_of(heard_at(Span("", end, end)) + NOTE_DELAY), spoken=False, act="handle") for end in handled(spoken)
    ]
    if strays and spoken and strays.random() < STRAY_SHARE:
        end = spoken[int(strays.integers(len(spoken)))].end
        notes.append(Note(end, utterance(spoken, end)))
    return notes


def handled(spoken: list[Span]) -> list[float]:
    """When each spoken instruction ended that is followed from then on, without an answer."""
    names = [word.name for word in spoken]
    last = [index for index, word in enumerate(spoken) if index + 1 == len(spoken) or spoken[index + 1].start - word.end > INSTRUCTED_GAP]
    return [spoken[index].end for index in last if any(names[max(0, index + 1 - len(own)) : index + 1] == own for own in OWN_NAMES)]


def utterance(spoken: list[Span], end: float) -> tuple[int, ...]:
    """Classes of the last words that end at `end`; none where no word does."""
    words = [word for word in spoken if word.end < end + 0.01]
    if not words or words[-1].end < end - 0.01:
        return ()
    first = len(words) - 1
    while first > 0 and len(words) - first < MOST_WORDS and words[first].end - words[first - 1].end < UTTERANCE_GAP:
        first -= 1
    return tuple(word_class(word.name) for word in words[first:])


def typed_at(typed: np.ndarray, turn: int) -> tuple[int, ...]:
    """Classes of what was typed from `turn` on."""
    words = []
    while turn < len(typed) and typed[turn].any():
        words += [int(word) for word in typed[turn] if word and not is_mark(word)]
        turn += 1
    return tuple(words[-MOST_WORDS:])


def as_heard(note: Note, shares: np.ndarray) -> Note:
    """
    The note in the words that the model heard, as the runtime takes it at the act; one that was typed stays as it is.

    @param shares [T, W] of the session's words
    """
    if not note.spoken:
        return note
    past = note.told_from * SLOTS_PER_TURN
    first = max(0, past - HEARD_SLOTS)
    heard = [
        Span(word.name, 0, first * SLOT_SECONDS + word.seconds - WORD_DELAY_SLOTS * SLOT_SECONDS)
        for word in heard_words(shares[first:past], WORDS, WORD_THRESHOLD)
    ]
    return replace(note, words=utterance(heard, heard[-1].end) if heard else ())


def misheard(note: Note, random: np.random.Generator) -> Note:
    """The note as a model might have taken it: with words wrong or missing, or not at all."""
    if note.acted is not None and random.random() < UNTOLD_SHARE:
        return replace(note, words=())
    heard = [word if random.random() > MISHEARD_SHARE else word_class(UNKNOWN) for word in note.words]
    return replace(note, words=tuple(word for word in heard if random.random() > MISHEARD_SHARE))


def tell_ages(grids: Batch | dict, notes: list[list[Note]], random: np.random.Generator) -> None:
    """Writes acts and ages into `grids`, which are on the CPU; `notes` of each of their sessions."""
    named = grids if isinstance(grids, dict) else vars(grids)
    for row, noted in enumerate(notes):
        page = _Page(*(np.asarray(named[name][row]) for name in ("typed", "act", "say", "play")))
        for note in noted:
            if note.acted is not None:
                page.act_on(note)
        page.tell([note for note in noted if note.words], random)


def tell_once(batch: Batch, row: int, turn: int, age: int, note: Note, is_due: bool) -> int:
    """Tells one age of a note from `turn` on, and reminds of it where it `is_due`; @returns the micro-turn of its last word."""
    page = _Page(*(np.asarray(grid[row]) for grid in (batch.typed, batch.act, batch.say, batch.play)))
    told = page.write(turn, age, note)
    if is_due:
        page.remind(told)
    return told


def load_noted(shard: Path) -> dict[str, np.ndarray]:
    """Grids of a shard as the runtime would tell a model that notes all there is to note."""
    grids = {name: np.load(shard / f"{name}.npy") for name in ("typed", "act", "say", "play", "floor")}
    sessions = json.loads((shard / "sessions.json").read_text())
    tell_ages(grids, [notes_of(*session) for session in zip(sessions, grids["typed"])], np.random.default_rng(0))
    return grids


@dataclass
class _Timed:
    """When which ages of a note are told, and from which micro-turn on it is over, or its age not the clock's."""

    moments: list[tuple[int, int]]
    until: float


@dataclass
class _Page:
    """The grids of one session; writing into them changes the batch."""

    typed: np.ndarray
    act: np.ndarray
    say: np.ndarray
    play: np.ndarray

    def act_on(self, note: Note) -> None:
        acts = self.act[note.acted : note.acted + ACT_TURNS]
        acts[acts == 0] = ACT_INDEX[note.act]

    def tell(self, notes: list[Note], random: np.random.Generator) -> None:
        """All ages of all notes in the order of the runtime, each where the one before it ended, or later."""
        own = [self._own(note, random) for note in notes]
        kept, tellings = [], []
        for index in sorted(range(len(notes)), key=lambda index: notes[index].told_from):
            now = notes[index].told_from
            kept = [other for other in kept if own[other].until > now]
            tellings += [(now, 0, other, self._between(notes[other], notes[index])) for other in kept]
            kept.append(index)
            if len(kept) > MOST_NOTES:
                gone = next((other for other in kept if not notes[other].waits), kept[0])
                kept.remove(gone)
                own[gone].moments = [moment for moment in own[gone].moments if moment[0] < now]
        tellings += [(turn, 1, index, age) for index, timed in enumerate(own) for turn, age in timed.moments]
        row = 0
        for turn, rank, index, age in sorted(tellings):
            if age == 0 or turn >= len(self.typed):
                continue
            row = self.write(max(row, turn), age, notes[index])
            if rank == 1 and age == 60 * notes[index].minutes:
                self.remind(row)

    @staticmethod
    def _between(before: Note, note: Note) -> int:
        """How long before `note` another was taken, as it is told: 0 where that is no time."""
        seconds = round(note.asked - before.asked)
        return seconds if seconds <= MOST_SECONDS else seconds // 60 * 60

    def _own(self, note: Note, random: np.random.Generator) -> "_Timed":
        """Ages by the clock, and in many sessions from some age on faster, where the reminder is minutes away."""
        left = ages_of(note)
        hurries = note.minutes > 0 and random.random() < HURRIED_SHARE
        sooner = turn_of(note.asked) + int(random.integers(15, 110)) if hurries else math.inf
        moments = [(turn_of(note.asked + age), age) for age in left if turn_of(note.asked + age) < sooner]
        if hurries:
            ahead = [age for age in left[len(moments) :] if age <= 60 * note.minutes]
            near = random.random() < 0.6
            first = len(ahead) - int(random.integers(1, 6)) if near else int(random.integers(0, max(1, len(ahead))))
            turn = int(sooner)
            for age in ahead[max(0, first) :]:
                moments.append((turn, age))
                turn += int(random.integers(*HURRIED_TURNS))
        moments = [(turn, age) for turn, age in moments if turn >= note.told_from and turn * TURN_SECONDS <= note.ends]
        due = next((turn for turn, age in moments if age == 60 * note.minutes), math.inf)
        until = min(sooner, due, note.ends / TURN_SECONDS)
        return _Timed([(turn, age) for turn, age in moments if turn <= due], until)

    def remind(self, turn: int) -> None:
        around = slice(turn - 1, turn + 2)
        if turn + 2 * REMINDER_TURNS < len(self.say) and np.isin(self.say[around], (SAY_INDEX[SILENT], IGNORE)).all():
            self.say[around] = IGNORE
            self.say[turn] = SAY_INDEX["reminder"]
            self.play[turn + 1 : turn + REMINDER_TURNS] = 1

    def write(self, turn: int, age: int, note: Note) -> int:
        """From `turn` on, where there is room, as the runtime queues it; @returns the micro-turn of the last word."""
        for word in age_text(age, note):
            while turn < len(self.typed) - 1 and self.typed[turn].all():
                turn += 1
            if not self.typed[turn].all():
                self.typed[turn, np.count_nonzero(self.typed[turn])] = word
        return turn


def age_text(age: int, note: Note) -> list[int]:
    """What the runtime tells of a note (`ageTokens` of packages/edge/src/engine/reader.ts)."""
    words, told = age_words(age), list(note.words)
    for same in MINUTE_FORMS if age == 60 else [words[1:]]:
        for first in range(len(told) - len(same) + 1):
            if told[first : first + len(same)] == same:
                told[first : first + len(same)] = [WORDS.index(SAME)] * len(same)
    return [*words, *told]


def ages_of(note: Note) -> list[int]:
    """The ages that the runtime tells of it, as long as it is wanted."""
    return sorted((*AGES, *(age for age in MATCHED_AGES if WORDS.index(SAME) in age_text(age, note))))


def age_words(age: int) -> list[int]:
    """Classes that tell an age of so many seconds: below a minute, and to `MOST_SECONDS` where it is not a whole one, in those."""
    unit, count = ("seconds", age) if age < 60 or age % 60 else ("minutes", age // 60)
    return [WORDS.index(AGE), *(word_class(word) for word in (*number_words(count), unit))]
