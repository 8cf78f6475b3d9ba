"""Where things are and how much of each is made. Sizes and budgets of one run of the recipe.

On disk, a shard of 30 s sessions has 27 MB of features and labels, and twice what the core hears in it (as it is, and as others have
it): 20 MB each for the small model, 27 MB for the large one. A shard of `long` has two and a half times that.

|       | shards | hours | shards on disk | test sets, checkpoints | together |
| ----- | ------ | ----- | -------------- | ---------------------- | -------- |
| small | 78     | 34    | 6 GB           | 5 GB                   | 11 GB    |
| large | 630    | 290   | 57 GB          | 5 GB                   | 62 GB    |

The large one is an eighth of what was planned for it first, 4,850 shards and 447 GB, so that it fits into 64 GB. If both are made in
one folder, the large one takes the small one's shards as its own, and what the small one's core hears is another 4 GB.

The small one is what two cores do in about three hours, data and evaluation included. Going on from what came of it (`--start`), on
data that it has not heard (`--first`), is another run of the same command.
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
class Minutes:
    """Time budgets of the training stages. In parts where a machine is lent for less: `run.py trunk --at-most 30`, twice."""

    trunk: float
    """Nothing: it stays as it is in the bundle that is begun from."""
    core: float
    typed: float


@dataclass(frozen=True)
class Recipe:
    """One variant of the model and what it costs."""

    shards: dict[str, int]
    """How many shards of 48 sessions each training split has."""
    from_scratch: Minutes
    going_on: Minutes
    """From the weights of a bundle. Trunks that were trained for longer on these voices knew no more of strangers' words (0.16.0, 0.17.0)."""
    trunk_sessions: int
    core_sessions: int
    trunk_rate: float = 2e-3
    core_rate: float = 1e-3


TEST_SHARDS = {"seen": 2, "seen-drill": 1, "espeak": 2, "slt": 2, "festival": 1} | {
    f"{voices}-{theme}": 1 for theme in TEST_THEMES for voices in TEST_VOICES
}
RECIPES = {
    "small": Recipe(
        {"train": 14, "skills": 12, "drill": 14, "rare": 10, "long": 4, "tier2": 5, "minutes": 5, "replies": 14},
        from_scratch=Minutes(trunk=55, core=25, typed=12),
        going_on=Minutes(trunk=0, core=35, typed=8),
        trunk_sessions=8,
        core_sessions=12,
    ),
    "large": Recipe(
        {"train": 250, "skills": 75, "drill": 112, "rare": 50, "long": 62, "tier2": 38, "minutes": 19, "replies": 24},
        from_scratch=Minutes(trunk=30, core=8, typed=8),
        going_on=Minutes(trunk=0, core=8, typed=8),
        trunk_sessions=96,
        core_sessions=128,
    ),
}
ECHO_SETS = {"espeak": 32, "slt": 32, "festival": 32, "seen-drill": 96}
"""Sessions in which the agent's echo is ECHO_DB below the user: three to measure on, and one that thresholds are chosen by."""
ECHO_DB = 20.0
