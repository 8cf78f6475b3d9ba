"""Where things are and how much of each is made. Sizes and budgets of one run of the recipe.

On disk, a shard of 30 s sessions has 27 MB of features and labels, and twice what the core hears in it (as it is, and as others have
it): 20 MB each for the small model, 27 MB for the large one. A shard of `long` has two and a half times that.

|       | shards | hours | shards on disk | test sets, checkpoints | together |
| ----- | ------ | ----- | -------------- | ---------------------- | -------- |
| small | 278    | 121   | 20 GB          | 5 GB                   | 25 GB    |
| large | 630    | 290   | 57 GB          | 5 GB                   | 62 GB    |

The large one is an eighth of what was planned for it first, 4,850 shards and 447 GB, so that it fits into 64 GB. If both are made in
one folder, the large one takes the small one's shards as its own, and what the small one's core hears is another 11 GB.
"""

import os
from dataclasses import dataclass
from pathlib import Path

from voices import TEST_THEMES, TEST_VOICES

ROOT = Path(__file__).resolve().parent.parent
REPOSITORY = ROOT.parent.parent
REPORT = ROOT / "report"
BOOTSTRAP = ROOT / "bootstrap"
"""The first checkpoint, which later ones are held against."""
HOME = Path(os.environ.get("MICROTURN_NANO_HOME", Path.home() / ".cache" / "microturn" / "nano"))
SEED = 6


@dataclass(frozen=True)
class Recipe:
    """One variant of the model and what it costs."""

    shards: dict[str, int]
    """How many shards of 48 sessions each training split has."""
    trunk_minutes: float
    """In parts of under an hour where a machine is lent for no longer: `run.py trunk --at-most 55`, twice."""
    core_minutes: float
    typed_minutes: float
    trunk_sessions: int
    core_sessions: int
    trunk_rate: float = 2e-3
    core_rate: float = 1e-3


TEST_SHARDS = {"seen": 2, "seen-drill": 1, "espeak": 2, "slt": 2, "festival": 1} | {
    f"{voices}-{theme}": 1 for theme in TEST_THEMES for voices in TEST_VOICES
}
RECIPES = {
    "small": Recipe(
        {"train": 126, "skills": 30, "drill": 40, "rare": 24, "long": 16, "tier2": 20, "minutes": 10, "replies": 12},
        trunk_minutes=110,
        core_minutes=15,
        typed_minutes=30,
        trunk_sessions=8,
        core_sessions=12,
    ),
    "large": Recipe(
        {"train": 250, "skills": 75, "drill": 112, "rare": 50, "long": 62, "tier2": 38, "minutes": 19, "replies": 24},
        trunk_minutes=30,
        core_minutes=8,
        typed_minutes=8,
        trunk_sessions=96,
        core_sessions=128,
    ),
}
ECHO_SETS = ("espeak", "slt")
ECHO_DB, ECHO_SESSIONS = 20.0, 32
