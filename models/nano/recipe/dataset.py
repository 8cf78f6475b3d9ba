"""Shards of sessions on disk: made from a seed, written once, read through memory maps."""

import json
import time
from dataclasses import asdict
from pathlib import Path
from typing import Iterator

import numpy as np
import torch

from acoustics import Crowd, capture
from features import FEATURE_NAMES, log_mel
from line import parse
from melody import melody
from labels import label
from scenarios import Director
from voices import LONG, MINUTES, RARE, SPLITS, THEMES, Studio, draw_other, test_voices, theme_of
from texts import Writer
from synthesis import ReadingError
from vocabulary import canonical

SESSION_SECONDS = 30.0
SHARD_SESSIONS = 48
CROWD_START = 24
RARE_TEST_SECONDS = 60.0
"""Of the tests of rare skills: durations are told that are longer than an everyday session."""
LONG_SESSION_SECONDS = 75.0
"""Of those that are about long waits: a minute, and the time to ask for it."""
MINUTES_TEST_SECONDS, MINUTES_TEST_SESSIONS = 210.0, 20
"""Of the tests of reminders in minutes. Those of training only ask for them: `ages.py` lets the minutes pass faster."""
TRAINING_SPLITS = ("train", "skills", "drill", *THEMES)
LABEL_NAMES = ("words", "phones", "floor", "play", "say", "act", "typed")


def shard_seed(seed: int, split: str, index: int) -> np.random.Generator:
    """The same shard has the same content, whoever makes it and in whichever order."""
    return np.random.default_rng([seed, SPLITS.index(split), index])


def session_seconds(split: str) -> float:
    """How long its sessions are."""
    theme = theme_of(split)
    if theme == LONG:
        return LONG_SESSION_SECONDS
    tests = {RARE: RARE_TEST_SECONDS, MINUTES: MINUTES_TEST_SECONDS}
    return tests.get(theme, SESSION_SECONDS) if test_voices(split) else SESSION_SECONDS


def session_count(split: str) -> int:
    """How many a shard of it has."""
    return MINUTES_TEST_SESSIONS if theme_of(split) == MINUTES and test_voices(split) else SHARD_SESSIONS


def gather_crowd(studio: Studio, random: np.random.Generator) -> Crowd:
    """A first set of strangers, so that the first session has a background too."""
    crowd, writer = Crowd(random), Writer(random)
    while len(crowd.voices) < CROWD_START:
        try:
            line = parse(writer.talk())
            crowd.add(studio.record(draw_other(random), line.words, {}, random).pcm)
        except ReadingError:
            continue
    return crowd


def is_whole(shard: Path) -> bool:
    """Whether all of it is there; what an older recipe made lacks something that this one reads."""
    return all((shard / file).exists() for file in ("sessions.json", *(f"{name}.npy" for name in Shards.NAMES)))


def make_shard(
    folder: Path,
    split: str,
    index: int,
    seed: int,
    studio: Studio,
    sessions: int | None = None,
    echo_db: float | None = None,
) -> bool:
    """
    Writes one shard into `folder`; false where it is there already.

    Training shards hold features; test shards hold sound as well, for models with other front ends.
    """
    target = folder / f"{split}-{index:04d}"
    if is_whole(target):
        return False
    target.mkdir(parents=True, exist_ok=True)
    random, clean = shard_seed(seed, split, index), test_voices(split) is not None
    crowd = gather_crowd(studio, random)
    seconds = session_seconds(split)
    mics, refs, melodies, sounds, grids, notes = [], [], [], [], [], []
    for _ in range(sessions or session_count(split)):
        director = Director(split, seconds, random, studio, crowd)
        timeline = director.run()
        mic, ref = capture(timeline, crowd, random, clean, echo_db)
        mics.append(log_mel(mic).astype(np.float16))
        refs.append(log_mel(ref).astype(np.float16))
        melodies.append(melody(mic).astype(np.float16))
        grids.append(label(timeline))
        notes.append(
            {
                "mode": director.mode,
                "voice": asdict(director.speaker),
                "events": [asdict(event) for event in timeline.events],
                "words": [{**asdict(word), "written": canonical(word.name)} for word in timeline.words],
            }
        )
        if split not in TRAINING_SPLITS:
            sounds.append(np.stack([mic, ref]))
    np.save(target / "mic.npy", np.stack(mics))
    np.save(target / "ref.npy", np.stack(refs))
    np.save(target / "melody.npy", np.stack(melodies))
    for name in LABEL_NAMES:
        np.save(target / f"{name}.npy", np.stack([getattr(grid, name) for grid in grids]))
    if sounds:
        np.save(target / "sound.npy", (np.stack(sounds) * 32_767).astype(np.int16))
    (target / "sessions.json").write_text(json.dumps(notes))  # last: its presence says that the shard is whole
    return True


def make_shards(folder: Path, native: Path, shards: list[tuple[str, int]], seed: int) -> None:
    """Makes shards of splits in order, and says how fast."""
    studio = Studio(native)
    for split, index in shards:
        started = time.time()
        if make_shard(folder, split, index, seed, studio):
            seconds = session_count(split) * session_seconds(split)
            print(
                f"{split} {index}: {seconds / 3_600:.2f} h, {seconds / (time.time() - started):.0f}x real time",
                flush=True,
            )


class Shards:
    """All whole shards of some splits in a folder, as one sequence of sessions."""

    NAMES = (*FEATURE_NAMES, *LABEL_NAMES)

    def __init__(self, folder: Path, splits: tuple[str, ...] = TRAINING_SPLITS, extra: dict[str, tuple[str, ...]] | None = None):
        """`extra` are files of the shards that later stages added, by the name that they get: of several of one name a batch has any."""
        self._folder, self._splits = folder, splits
        self._files = {**{name: (f"{name}.npy",) for name in self.NAMES}, **(extra or {})}
        self._arrays: dict[Path, dict[str, tuple[np.ndarray, ...]]] = {}
        self._places: list[tuple[Path, int]] = []
        self._by_split: dict[str, list[int]] = {}
        self.refresh()
        if not self._arrays:
            raise FileNotFoundError(f"no shards of {splits} in {folder}: run the data stage first")

    def refresh(self) -> None:
        """Takes in what has been made since: training may begin before the last shard is written."""
        for path in sorted(note.parent for note in self._folder.glob("*/sessions.json")):
            split = path.name.rsplit("-", 1)[0]
            if split in self._splits and path not in self._arrays and is_whole(path):
                self._arrays[path] = {
                    name: tuple(np.load(path / file, mmap_mode="r") for file in files) for name, files in self._files.items()
                }
                first, rows = len(self._places), len(self._arrays[path]["floor"][0])
                self._places += [(path, row) for row in range(rows)]
                self._by_split.setdefault(split, []).extend(range(first, first + rows))

    @property
    def paths(self) -> list[Path]:
        return list(self._arrays)

    def __len__(self) -> int:
        return len(self._places)

    def notes(self) -> Iterator[dict]:
        """What each session is about, in order."""
        for path in self._arrays:
            yield from json.loads((path / "sessions.json").read_text())

    def grid(self, name: str, index: int) -> np.ndarray:
        """One array of one session."""
        path, row = self._places[index]
        return self._arrays[path][name][0][row]

    def draw(self, count: int, shares: dict[str, float]) -> list[int]:
        """`count` random sessions, each of a split that is drawn by `shares`; splits that are not there are passed over."""
        splits = [split for split in shares if split in self._by_split]
        drawn = torch.multinomial(torch.tensor([shares[split] for split in splits]), count, replacement=True)
        inside = [self._by_split[splits[index]] for index in drawn.tolist()]
        return [places[int(torch.randint(len(places), ()))] for places in inside]

    def batch(self, indexes) -> dict[str, np.ndarray]:
        """Arrays by name, [len(indexes), ...], in the types that they were stored in."""
        picked = [self._places[index] for index in indexes]
        return {name: np.stack([_any(self._arrays[path][name])[row] for path, row in picked]) for name in self._files}


def _any(arrays: tuple[np.ndarray, ...]) -> np.ndarray:
    return arrays[int(torch.randint(len(arrays), ()))] if len(arrays) > 1 else arrays[0]
