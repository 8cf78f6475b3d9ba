"""What thresholds are chosen by, and what needs probabilities: curves and confusions. Decisions are measured by `npm run eval`."""

import math
from dataclasses import dataclass, field

import numpy as np

from bundle import Outputs
from decoding import heard_words, sustained, where_likeliest
from labels import IGNORE, TURN_SECONDS, turn_of
from vocabulary import FLOOR, canonical

WORD_EARLY, WORD_LATE = 0.06, 0.62
"""A word counts if it is written from a little before its end to this long after it."""
YIELD_THRESHOLDS = (0.3, 0.4, 0.5, 0.6, 0.7, 0.75, 0.8, 0.85, 0.9, 0.95, 0.96, 0.97, 0.98)
YIELD_TURNS = (1, 2, 3)
YIELD_WINDOW = 1.6
SHORTEST_JUDGED_GAP = 0.8
"""A turn that is followed by other speech sooner is not judged: nobody could have found its end in time and been told so."""
MOST_MISSED = 0.2
"""Of the ends of turns: one that is missed is answered after a pause that is too long for one, and one that was none is an interruption."""
DETECT_TURNS = 2
"""Micro-turns after the one that an interruption begins in, within which it must be found."""
ECHO_TURNS = 5
"""The shortest stretch of the agent alone that is judged, in micro-turns."""
SILENT_FLOOR = FLOOR.index("silent")
EDGE_SECONDS = 1.0
"""Events closer than this to the end of a session are not judged."""


def wilson(hits: int, count: int) -> tuple[float, float]:
    """95 % interval of a share. No events: everything is possible."""
    if count == 0:
        return 0.0, 1.0
    z, share = 1.96, hits / count
    middle = (share + z * z / (2 * count)) / (1 + z * z / count)
    half = z * math.sqrt(share * (1 - share) / count + z * z / (4 * count * count)) / (1 + z * z / count)
    return max(0.0, middle - half), min(1.0, middle + half)


def share(hits: int, count: int) -> dict:
    low, high = wilson(hits, count)
    return {"value": hits / count if count else None, "n": count, "low": low, "high": high}


@dataclass
class Session:
    """A test session: its labels and events, and what the bundle made of it."""

    floor: np.ndarray
    words: list[dict]
    events: list[dict]
    grids: dict[str, np.ndarray] = field(default_factory=dict)
    """Labels by role."""
    outputs: dict[str, np.ndarray] = field(default_factory=dict)

    def of(self, kind: str, margin: float = EDGE_SECONDS) -> list[dict]:
        limit = len(self.floor) * TURN_SECONDS - margin
        return [event for event in self.events if event["kind"] == kind and event["end"] < limit]

    def audible(self, event: dict) -> bool:
        """Whether the agent is, so that there is something to break into."""
        return bool(self.grids["play"][turn_of(event["start"]) : turn_of(event["end"]) + 1].any())


def word_measures(sessions: list[Session], outputs: Outputs, vocabulary: set[str], threshold: float) -> dict:
    """Precision, recall and F1 over words of `vocabulary`; the interval is that of recall and precision pooled."""
    hits = misses = false = 0
    delays = []
    for session in sessions:
        limit = len(session.floor) * TURN_SECONDS - WORD_LATE
        heard = [
            word
            for word in heard_words(session.outputs["words"], outputs.classes("words"), threshold)
            if canonical(word.name) in vocabulary
        ]
        free = [True] * len(heard)
        for word in session.words:
            name = canonical(word["name"])
            if name not in vocabulary or word["end"] > limit:
                continue
            match = next(
                (
                    i
                    for i, other in enumerate(heard)
                    if free[i]
                    and canonical(other.name) == name
                    and -WORD_EARLY <= other.seconds - word["end"] <= WORD_LATE
                ),
                None,
            )
            if match is None:
                misses += 1
            else:
                free[match] = False
                hits += 1
                delays.append(heard[match].seconds - word["end"])
        false += sum(1 for i, other in enumerate(heard) if free[i] and other.seconds < limit)
    precision, recall = hits / max(1, hits + false), hits / max(1, hits + misses)
    return {
        "f1": share(2 * hits, 2 * hits + false + misses),
        "precision": precision,
        "recall": recall,
        "medianDelay": float(np.median(delays)) if delays else None,
    }


def gap_curve(sessions: list[Session], yielded: int) -> list[dict]:
    """Median gap after a turn against false yields per hold, one point per threshold and persistence."""
    points = []
    for turns in YIELD_TURNS:
        for threshold in YIELD_THRESHOLDS:
            decided = [
                sustained(where_likeliest(session.outputs["floor"], yielded), threshold, turns) for session in sessions
            ]
            points.append({"threshold": threshold, "turns": turns, **yield_point(sessions, decided)})
    return points


def yield_point(sessions: list[Session], decided: list[np.ndarray]) -> dict:
    """
    Gaps and false yields; a turn whose end was missed counts as a gap without end.

    @param decided [M] bool per session: the floor is taken for yielded
    """
    gaps, missed, holds, false, long_holds, long_false = [], 0, 0, 0, 0, 0
    for session, floor in zip(sessions, decided):
        for event in session.of("yield", YIELD_WINDOW):
            if event["end"] - event["start"] < SHORTEST_JUDGED_GAP:
                continue
            last = min(len(floor) - 1, turn_of(min(event["end"], event["start"] + YIELD_WINDOW)))
            found = [turn for turn in range(turn_of(event["start"]), last + 1) if floor[turn]]
            if found:
                gaps.append((found[0] + 1) * TURN_SECONDS - event["start"])
            else:
                missed += 1
        for event in session.of("hold", 0.2):
            hit = bool(floor[turn_of(event["start"]) : turn_of(event["end"])].any())
            holds, false = holds + 1, false + hit
            if event["end"] - event["start"] >= 3:
                long_holds, long_false = long_holds + 1, long_false + hit
    return {
        "gap": _percentile(gaps, missed, 50),
        "gap90": _percentile(gaps, missed, 90),
        "missed": share(missed, missed + len(gaps)),
        "falseYield": share(false, holds),
        "falseYield3s": share(long_false, long_holds),
    }


def _percentile(gaps: list[float], missed: int, percent: int) -> float | None:
    """Of all turns, the missed ones last; nothing where the percentile falls among those."""
    index = math.ceil(percent / 100 * (len(gaps) + missed)) - 1
    return float(sorted(gaps)[index]) if 0 <= index < len(gaps) else None


def best_within(points: list[dict], gap: float, most_missed: float = MOST_MISSED) -> dict | None:
    """The point with the fewest false yields among those with at most `gap` seconds of median gap and few missed turns."""
    fitting = [
        point
        for point in points
        if point["gap"] is not None and point["gap"] <= gap + 1e-9 and (point["missed"]["value"] or 0) <= most_missed
    ]
    return min(fitting, key=lambda point: (point["falseYield"]["value"], point["gap"])) if fitting else None


def interruption_measures(sessions: list[Session], barge_in: int, threshold: float) -> dict:
    """Barge-ins found in time, and backchannels, background voices and playback alone that were taken for one."""
    found = total = late = false = backchannels = elsewhere = elsewhere_false = 0
    delays = []
    for session in sessions:
        taken = where_likeliest(session.outputs["floor"], barge_in) > threshold
        for event in filter(session.audible, session.of("barge-in")):
            turn = turn_of(event["start"])
            hits = np.flatnonzero(taken[turn : turn + 8])
            total += 1
            if len(hits):
                delays.append((turn + hits[0] + 1) * TURN_SECONDS - event["start"])
                found += hits[0] <= DETECT_TURNS
                late += 1
        for event in filter(session.audible, session.of("backchannel")):
            backchannels += 1
            false += bool(taken[turn_of(event["start"]) : turn_of(event["end"]) + 2].any())
        for event in session.of("elsewhere"):
            elsewhere += 1
            elsewhere_false += bool(taken[turn_of(event["start"]) : turn_of(event["end"]) + 1].any())
    return {
        "detected": share(found, total),
        "detectedEver": share(late, total),
        "medianDelay": float(np.median(delays)) if delays else None,
        "falseOnBackchannel": share(false, backchannels),
        "falseOnElsewhere": share(elsewhere_false, elsewhere),
    }


def own_echo(sessions: list[Session], barge_in: int, threshold: float) -> dict:
    """Of the agent's stretches of a second and more in which nobody else speaks, those that were taken for a barge-in."""
    stopped = count = 0
    for session in sessions:
        taken = where_likeliest(session.outputs["floor"], barge_in) > threshold
        alone = (session.grids["play"] == 1) & (session.floor == SILENT_FLOOR)
        edges = np.flatnonzero(np.diff(np.concatenate([[0], alone, [0]])))
        for start, end in zip(edges[::2], edges[1::2]):
            if end - start >= ECHO_TURNS:
                count, stopped = count + 1, stopped + bool(taken[start:end].any())
    return share(stopped, count)


def floor_confusion(sessions: list[Session], classes: list[str]) -> dict:
    """Rows: the label's class; columns: the likeliest class of the bundle, in the order of `FLOOR`."""
    table = np.zeros((len(FLOOR), len(FLOOR)), int)
    columns = np.array([FLOOR.index(name) for name in classes])
    for session in sessions:
        np.add.at(table, (session.floor, columns[session.outputs["floor"].argmax(-1)]), 1)
    return {"classes": FLOOR, "table": table.tolist(), "accuracy": share(int(np.trace(table)), int(table.sum()))}


def grid_f1(sessions: list[Session], role: str, threshold: float) -> float:
    """
    How well the likeliest class of `role` meets the labels' grid, where `threshold` lets it: F1 over decisions.

    A decision is a run of micro-turns of one class, and is right a micro-turn early or up to two late.
    """
    hits = misses = false = 0
    for session in sessions:
        labels, shares = session.grids[role], session.outputs[role]
        # As the engine has it: an act must be likely itself, a word only that there is one.
        certain = 1 - shares[:, 0] if role == "say" else shares.max(-1)
        best = np.where(certain > threshold, shares.argmax(-1), 0)
        due, decided = onsets(np.where(labels == IGNORE, 0, labels)), onsets(best)
        for turn in due:
            hit = (best[max(0, turn - 1) : turn + 3] == labels[turn]).any()
            hits, misses = hits + hit, misses + (not hit)
        false += sum(best[turn] not in labels[max(0, turn - 2) : turn + 2] for turn in decided)
    return 2 * hits / max(1, 2 * hits + misses + false)


def onsets(grid: np.ndarray) -> np.ndarray:
    """Where runs of a class other than 0 begin."""
    before = np.concatenate([[0], grid[:-1]])
    return np.flatnonzero((grid != before) & (grid > 0))
