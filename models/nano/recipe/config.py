"""Where things are and how much of each is made. Sizes and budgets of one run of the recipe."""

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
    core_minutes: float
    trunk_sessions: int
    core_sessions: int
    trunk_rate: float = 2e-3
    core_rate: float = 1e-3


TEST_SHARDS = {"seen": 2, "seen-drill": 1, "espeak": 2, "slt": 2, "festival": 1} | {
    f"{voices}-{theme}": 1 for theme in TEST_THEMES for voices in TEST_VOICES
}
RECIPES = {
    "small": Recipe(
        {"train": 126, "skills": 30, "drill": 40, "rare": 24, "long": 16, "tier2": 20, "minutes": 10},
        trunk_minutes=110,
        core_minutes=15,
        trunk_sessions=8,
        core_sessions=12,
    ),
    "large": Recipe(
        {"train": 2_000, "skills": 600, "drill": 900, "rare": 400, "long": 500, "tier2": 300, "minutes": 150},
        trunk_minutes=30,
        core_minutes=8,
        trunk_sessions=96,
        core_sessions=128,
    ),
}
ECHO_SETS = ("espeak", "slt")
ECHO_DB, ECHO_SESSIONS = 20.0, 32
