"""What the core practises on: batches of recorded sessions, and of what is made of them.

Some sessions are two on end, so that a core is used to a past that it cannot see any more, with a reminder typed into them; some
have another one in their midst, while a time is measured; some last longer; some have no sound. What is timed in any of them is
noted, and its age told; messages are typed into some.
"""

from dataclasses import dataclass, replace

import numpy as np
import torch

from ages import Note, as_heard, misheard, notes_of, tell_ages
from dataset import Shards
from drafts import tell_drafts
from labels import IGNORE
from losses import Batch, to_batch
from messages import handle_typed, type_messages
from soundless import TEXTS, fill_quiet, hush, mute
from splice import Splicer, type_reminders
from typist import Typist
from voices import LONG

KINDS = {"plain": 0.3, "joined": 0.16, "spliced": 0.11, "long": 0.16, "soundless": 0.27}
"""What a batch is made of."""
SPLIT_SHARES = {"train": 0.17, "skills": 0.27, "drill": 0.21, "rare": 0.14, "tier2": 0.13, "minutes": 0.08, "replies": 0.16}
HEARD = "heard"
"""What the core hears of a session, among the arrays of a batch."""


@dataclass
class Exercise:
    """Sessions of one kind: their grids on the CPU, what the core hears in them [B, T, d], and what there is to note."""

    kind: str
    batch: Batch
    heard: torch.Tensor
    notes: list[list[Note]]
    texts: tuple[str, ...]
    """What is written into sessions without sound, in turn."""

    @property
    def is_soundless(self) -> bool:
        return self.kind == "soundless"

    def tell(self, shares: torch.Tensor, random: np.random.Generator) -> None:
        """Writes in what the runtime tells of; `shares` [B, T, W] are of the words that the trunk hears, and change where there is no sound."""
        if self.is_soundless:
            fill_quiet(self.batch, shares, Typist(random, is_heard=True), Typist(random), random, self.texts)
            return
        words = shares.cpu().numpy()
        taken = [[misheard(as_heard(note, words[row]), random) for note in noted] for row, noted in enumerate(self.notes)]
        handle_typed(self.batch)
        tell_ages(self.batch, taken, random)
        tell_drafts(self.batch, random)
        type_messages(self.batch, Typist(random), random)


class Practice:
    """Draws exercises from `shards`, of `sessions` each; `nothing` [T, d] is what the core hears of a microphone that is off."""

    def __init__(
        self, shards: Shards, sessions: int, seed: int, nothing: torch.Tensor, kinds: dict[str, float] = KINDS, texts: tuple[str, ...] = TEXTS
    ):
        self._kinds, self._texts = kinds, texts
        self._shards, self._sessions, self._nothing = shards, sessions, nothing
        self._notes = all_notes(shards, seed)
        self._splicer = Splicer(shards, HEARD, self._notes)

    def draw(self, random: np.random.Generator) -> Exercise:
        kind = list(self._kinds)[int(torch.multinomial(torch.tensor(list(self._kinds.values())), 1))]
        arrays, notes = self._recorded(kind)
        exercise = Exercise(kind, to_batch(arrays), torch.from_numpy(arrays[HEARD].astype(np.float32)), notes, self._texts)
        if kind == "joined":
            return joined(exercise, Typist(random))
        if kind == "soundless":
            batch, heard = hush(exercise.batch, exercise.heard)
            mute(heard, self._nothing)
            return replace(exercise, batch=batch, heard=heard)
        return exercise

    def _recorded(self, kind: str) -> tuple[dict[str, np.ndarray], list[list[Note]]]:
        """Arrays by name, of fewer sessions where they are longer."""
        if kind == "spliced":
            return self._splicer.batch(self._sessions * 2 // 3)
        count, shares = (self._sessions * 2 // 5, {LONG: 1.0}) if kind == "long" else (self._sessions, SPLIT_SHARES)
        drawn = self._shards.draw(count, shares)
        return self._shards.batch(drawn), [self._notes[index] for index in drawn]


def joined(exercise: Exercise, writer: Typist) -> Exercise:
    """Every two sessions as one, with a reminder typed into it."""
    notes = join_notes(exercise.notes, exercise.batch.say.shape[1])
    batch, heard = join(exercise.batch, exercise.heard)
    notes = [one + other for one, other in zip(notes, type_reminders(batch, writer))]
    return replace(exercise, batch=batch, heard=heard, notes=notes)


def join(batch: Batch, heard: torch.Tensor) -> tuple[Batch, torch.Tensor]:
    """
    Every two sessions as one: [B, T, ...] becomes [B / 2, 2 T, ...].

    Where the first asked for something that may be due in the second (a count, a reminder), either answer is right there.
    """
    long = lambda grid: grid.reshape(len(grid) // 2, -1, *grid.shape[2:])
    say = batch.say.clone()
    asked = ((say[::2] > 0) & (say[::2] != IGNORE)).any(1)
    say[1::2] = say[1::2].masked_fill(asked[:, None], IGNORE)
    grids = {name: long(grid) for name, grid in vars(batch).items() if grid is not None}
    return replace(batch, **{**grids, "say": long(say)}), long(heard)


def join_notes(notes: list[list[Note]], turns: int) -> list[list[Note]]:
    """The notes of sessions of so many micro-turns, every two as one."""
    return [first + [note.later(turns) for note in second] for first, second in zip(notes[::2], notes[1::2])]


def all_notes(shards: Shards, seed: int) -> list[list[Note]]:
    """What there is to note in each session."""
    return [notes_of(note, shards.grid("typed", index), np.random.default_rng([seed, index])) for index, note in enumerate(shards.notes())]
