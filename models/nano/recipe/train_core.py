"""Phase two: the core alone, on cached features of the trunk and on its own history.

The trunk is frozen, so a pass over an hour of sessions costs a tenth of phase one. Two of three batches are replayed with
what the core itself would have said, not what it should have said: a count that went wrong must be carried on from, too. What it
practises on is in `practice.py`.
"""

import zlib
from pathlib import Path
from typing import Callable

import numpy as np
import torch
from torch.nn import functional as F

from augment import augment, transpose
from dataset import SESSION_SECONDS, Shards
from features import FEATURE_NAMES, RATE_HZ, log_mel
from labels import IGNORE
from losses import deciding_losses, history, late
from melody import PITCHES
from melody import melody as compute_melody
from model import SIZES, Nano
from practice import HEARD, Practice
from precision import mixed
from training import Plan, averaged, between, save, train
from warm_start import fill, hush_marks

OWN_HISTORY_SHARE = 0.65
OWN_PASSES = 2
"""The first is told by its teacher what it said, and never says a word late: it has heard itself say it by then."""
FEATURE_DROPOUT = 0.1
OWN_SHARE = 0.7
"""Of a core that went on from a trained one: of .5, .7 and 1 it had the fewest pauses taken for the end for the ends that it found (0.19.0)."""
CACHE_BATCH = 12


def load_model(checkpoint: Path, size: str) -> Nano:
    """
    A trained `Nano` in evaluation mode; classes that were added since it was trained begin as drawn.

    @throws FileNotFoundError where there is no checkpoint
    """
    model = Nano(SIZES[size])
    state, saved = model.state_dict(), torch.load(checkpoint, map_location="cpu")
    for name, values in averaged(saved).items():
        fill(state[name], values, name)
    hush_marks(state)
    model.load_state_dict(state)
    return model.eval()


def outdated(made: Path, *sources: Path) -> bool:
    """Whether `made` is not there, or older than what it was made from."""
    return not made.exists() or made.stat().st_mtime < max(source.stat().st_mtime for source in sources)


def cache_names(size: str) -> tuple[str, ...]:
    """Of the files beside a shard that have what the core of a variant hears in it: as it is, and as other voices in other rooms have it."""
    return f"heard-{size}.npy", f"heard-{size}-augmented.npy"


def cache_features(shards: Shards, trunk: Path, size: str, worker: int = 0, workers: int = 1) -> None:
    """Writes what the core hears beside each shard, the trunk's features and the melody, [sessions, T, d + PITCHES] f16, where that is outdated."""
    torch.set_num_threads(1)
    model = load_model(trunk, size)
    for path in shards.paths[worker::workers]:
        mic, ref, melody = (np.load(path / f"{name}.npy", mmap_mode="r") for name in FEATURE_NAMES)
        batches = [slice(start, start + CACHE_BATCH) for start in range(0, len(mic), CACHE_BATCH)]
        for name, augmented in zip(cache_names(size), (False, True)):
            if not outdated(path / name, trunk, path / "melody.npy"):
                continue
            torch.manual_seed(zlib.crc32(path.name.encode()))
            hidden = np.concatenate([_hidden(model, mic[rows], ref[rows], augmented) for rows in batches])
            scratch = path / f"part-{name}"
            np.save(scratch, np.concatenate([hidden, melody], axis=-1))
            scratch.rename(path / name)


def _hidden(model: Nano, mic: np.ndarray, ref: np.ndarray, augmented: bool) -> np.ndarray:
    mic, ref = (torch.from_numpy(stream.astype(np.float32)) for stream in (mic, ref))
    mel = augment(mic, ref) if augmented else torch.cat([mic, ref], dim=-1)
    with torch.no_grad(), mixed("cpu"):
        return model.trunk(mel)[0].half().numpy()


def heard_of_nothing(model: Nano) -> torch.Tensor:
    """What the core hears of a microphone that is off, as `cache_features` has it: [T, d + PITCHES] of a session."""
    silence = np.zeros(int(SESSION_SECONDS * RATE_HZ), np.float32)
    mel = log_mel(silence)[None]
    hidden = _hidden(model, mel, mel, augmented=False)[0]
    return torch.from_numpy(np.concatenate([hidden, compute_melody(silence)], axis=-1).astype(np.float32))


def as_said(say: torch.Tensor, decided: torch.Tensor) -> torch.Tensor:
    """
    The targets of a core whose history is what it said itself: what it said a micro-turn early or late is right there, and is not due any more.

    A word often lies across the boundary of two micro-turns. A core that must say its number in the one, whether or not it has said it in
    the other, learns to say it twice.
    @param say [B, M] targets; @param decided [B, M] what the core says in each micro-turn
    """
    due = (say > 0) & (say != IGNORE)
    before, after = late(decided, 1, 0), F.pad(decided, (0, 1))[:, 1:]
    early = due & (before == say) & ~_taken(due, before == say)
    free = ~due | early
    delayed = due & ~early & (decided != say) & (after == say) & F.pad(free, (0, 1))[:, 1:]
    said_early = F.pad(early, (0, 1))[:, 1:] & free
    said_late = late(delayed, 1, 0)
    return torch.where(said_early | said_late, decided, say.masked_fill(early, 0).masked_fill(delayed, IGNORE))


def _taken(due: torch.Tensor, said: torch.Tensor) -> torch.Tensor:
    """[B, M]: whether the micro-turn before has a word of its own that is due in it: one that was not said early itself."""
    taken = torch.zeros_like(due)
    for turn in range(1, due.shape[1]):
        taken[:, turn] = due[:, turn - 1] & ~(said[:, turn - 1] & ~taken[:, turn - 1])
    return taken


def core_state(checkpoint: Path) -> Path:
    """Where the training of the core in `checkpoint` is gone on from."""
    return checkpoint.with_suffix(".core.pt")


def train_core(
    data: Path, trunk: Path, checkpoint: Path, size: str, plan: Plan, sessions: int, device: str, goes_on: bool = False
) -> None:
    """
    Trains the core of the model in `trunk` and leaves the whole model in `checkpoint`.

    @param sessions batch size per worker, even
    @param goes_on whether the model in `trunk` has a trained core: it is blended with what comes of it, and how it reads is left to `train_typed`
    """
    torch.set_num_threads(1)
    torch.manual_seed(plan.seed)
    shards, model = Shards(data, extra={HEARD: cache_names(size)}), load_model(trunk, size).to(device)
    begun = {name: weights.clone() for name, weights in model.state_dict().items()}
    model.core.typed.requires_grad_(not goes_on)
    practice = Practice(shards, sessions, plan.seed, heard_of_nothing(load_model(trunk, size)))
    state = core_state(checkpoint)
    if outdated(state, trunk):
        state.unlink(missing_ok=True)
    train(model.core.train(), losses_in(practice, model, device), plan, state)
    save(checkpoint, {"model": between(begun, model.state_dict(), OWN_SHARE if goes_on else 1.0)})


def losses_in(
    practice: Practice, model: Nano, device: str, own_history_share: float = OWN_HISTORY_SHARE
) -> Callable[[], dict[str, torch.Tensor]]:
    """What draws an exercise of `practice` and gives the losses of the core of `model` in it, by name."""
    core, head, width = model.core, model.trunk.words, model.size.width

    def losses_of():
        random = np.random.default_rng(int(torch.randint(2**31, ())))
        exercise = practice.draw(random)
        hidden, melody = exercise.heard.to(device).split([width, PITCHES], dim=-1)
        with mixed(device), torch.no_grad():
            shares = head(hidden).float().softmax(-1)
        exercise.tell(shares, random)
        batch = exercise.batch.to(device)
        with mixed(device):
            with torch.no_grad():
                hidden, melody = F.dropout(hidden, FEATURE_DROPOUT), transpose(melody)
                said = history(batch.say)
                if torch.rand(()) < own_history_share:
                    for _ in range(OWN_PASSES):
                        decided = core(hidden, melody, shares, said, batch.play, batch.typed)[1].argmax(-1)
                        said = late(decided, 1, 0)
                    batch.say = as_said(batch.say, decided)
            losses = deciding_losses(*core(hidden, melody, shares, said, batch.play, batch.typed), batch)
        return {**losses, "floor": 0 * losses["floor"]} if exercise.is_soundless else losses  # no sound tells who has it

    return losses_of
