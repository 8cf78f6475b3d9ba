"""The tables of the model card, of figures that were measured: `card.py` prints them from `report/results.json`.

    python3 card.py [OTHER.jsonl]     with a column of what `npm run eval -- --json` printed of another bundle
"""

import json
import sys
from pathlib import Path
from statistics import fmean

from config import REPORT

VOICES = ("espeak", "slt", "festival")
BENCH, OVERLAPS, CUES, UNHEARD = "full-duplex-bench v1", "full-duplex-bench v1.5", "cuespeak-style", "cuespeak-style, not hearing its own count"
TIMES, LONG, MINUTES = "timespeak-style", "timespeak-style, waits of up to a minute", "timespeak-style, minutes"
COMMANDS, MANNERS, LATE = "commands", "manners of speaking", "commands, drafts that come in silence"
UNKNOWN, SKILLS, DRILL, REPLIES = "speech that it has no words for", "skills, one by one", "-drill", "-replies"


def of(suite: str, *measures: str, among: str = "") -> list[tuple[str, str, str]]:
    return [(among, suite, measure) for measure in measures]


def command(name: str, suite: str = COMMANDS) -> list[tuple[str, str, str]]:
    return of(suite, f"{name}, recall", f"{name}, unasked")


HELD_OUT = [
    ("words that it knows, F1", of("words", "all that it knows, F1"), ".97 / .78 / .82"),
    ("words that it does not know, as such, F1", of("words", "those that it does not know, as such, F1"), ""),
    ("median gap after a turn, s", of(BENCH, "gap after a turn, median"), ".25"),
    ("… after an interruption", of(BENCH, "gap after an interruption, median"), ""),
    ("pauses taken for the end", of(BENCH, "pause taken for the end"), ".08 / .10 / .10"),
    ("pauses of 3 s and more taken for the end", of(BENCH, "pause of 3 s or more taken for the end"), ".05"),
    ("ends of turns found within 1.6 s", of(BENCH, "turn taken"), ""),
    ("turns of a few words: ends found within 1.6 s", of(BENCH, "turn taken", among=REPLIES), ""),
    ("… pauses taken for the end in lists of them", of(BENCH, "pause taken for the end", among=REPLIES), ""),
    ("… median gap, s", of(BENCH, "gap after a turn, median", among=REPLIES), ""),
    ("barge-in stopped within two micro-turns", of(BENCH, "barge-in: stopped within two micro-turns"), ".99"),
    ("… in sessions full of overlaps", of(BENCH, "barge-in: stopped within two micro-turns", among=DRILL), ".99"),
    ("stopped by a backchannel", of(OVERLAPS, "backchannel: stopped"), ".10"),
    ("… in sessions full of overlaps", of(OVERLAPS, "backchannel: stopped", among=DRILL), ".10"),
    ("words in which the turn was taken for over", of(BENCH, "word in which the turn was taken for over"), ""),
    ("talk to others and background voices answered", of(OVERLAPS, "talk to others, background speech: answered"), ""),
    ("own echo at -20 dB stops it", of("echo", "own echo at -20 dB: stopped"), "0"),
    ("animals counted in time; of the numbers right", of(CUES, "animal counted in time, recall", "animal counted in time, precision"), ""),
    ("… while the user goes on speaking", of(CUES, "animal counted while the user goes on, recall"), ""),
    ("final count exact", of(CUES, "final count exact"), ".80"),
    ("… where it does not hear itself say the right one", of(UNHEARD, "final count exact"), ".80"),
    ("… counted in time there; of the numbers right", of(UNHEARD, "animal counted in time, recall", "animal counted in time, precision"), ""),
    ("sessions that ask for no number and get one", of(CUES, "session that asks for no number and gets one"), ""),
    ("reminders within .4 s; every N seconds", of(TIMES, "reminder within 0.4 s", "reminder every N seconds within 0.4 s"), ".80"),
    ("reminders that nobody asked for", of(TIMES, "reminder that nobody asked for"), ""),
    ("durations within 1.5 s", of(TIMES, "duration told within 1.5 s"), ".85"),
    ("the same within 0.5 s; of more than 25 s", of(TIMES, "duration told within 0.5 s", "duration of more than 25 s told within 1.5 s"), ""),
    *((f"{name}, recall; unasked", command(name), ".85") for name in ("stop", "continue", "cancel", "delegate", "relay", "commit")),
    ("stop that is said, recall", of(COMMANDS, "stop that is said, recall"), ""),
    (
        "a draft that comes after the end committed within 1 s; one in a pause",
        of(LATE, "draft committed within 1 s", "draft committed in a pause"),
        ".85; .10",
    ),
    ("the number after another", of("numbers", "next number, right"), ""),
    ("a wrong sum put right in time", of("numbers", "wrong sum corrected in time"), ""),
    ("waits of up to a minute: reminders within .4 s; unasked", of(LONG, "reminder within 0.4 s", "reminder that nobody asked for"), ".80"),
    ("… durations within 1.5 s; within .5 s", of(LONG, "duration told within 1.5 s", "duration told within 0.5 s"), ""),
    (
        "reminders in minutes; those that were typed; unasked",
        of(MINUTES, "reminder within 0.4 s", "reminder that was typed within 0.4 s", "reminder that nobody asked for"),
        "",
    ),
    ("repeat, recall", of(MANNERS, "repeat, recall"), ".85"),
    ("louder, quieter, slower, faster: recall, mean", [tuple(of(MANNERS, *(f"{name}, recall" for name in ("louder", "quieter", "slower", "faster"))))], ""),
    (
        "words shown in Spanish within 1 s; of them right",
        of("translation", "word shown in Spanish within 1 s, recall", "word shown in Spanish within 1 s, precision"),
        "",
    ),
    (
        "backchannels that it gives in long turns, recall; elsewhere, of those it gives",
        of(BENCH, "backchannel in a pause of a long turn, recall", "backchannel elsewhere, of those it gives"),
        ".85",
    ),
    ("a result said after it was called off", of(SKILLS, "result said after it was called off"), ""),
    ("reminders that go on after a stop", of(SKILLS, "reminders that go on after a stop"), ""),
    ("final count exact, with a correction; without", of(SKILLS, "final count exact, with a correction", "final count exact, without one"), ".80"),
    (
        "pauses taken for the end after words that it knows; does not know",
        of(UNKNOWN, "pause taken for the end, after a word that it knows", "pause taken for the end, after one that it does not know"),
        "",
    ),
]
"""Title, what is measured ((among which sessions of a voice, suite, measure), or several of which the mean is told), and what we want."""


def shown(value: float | None) -> str:
    if value is None:
        return "–"
    text = f"{value:.2f}"
    return "1.0" if text == "1.00" else text.removeprefix("0")


class Figures:
    """Values by listener, set, suite and measure."""

    def __init__(self, figures: list[dict]):
        self._values = {(one["listener"], one["set"], one["suite"], one["measure"]): one.get("value") for one in figures}

    def value(self, listener: str, voice: str, measured) -> float | None:
        if isinstance(measured[0], tuple):
            values = [self.value(listener, voice, one) for one in measured]
            return None if None in values else fmean(values)
        among, suite, measure = measured
        return self._values.get((listener, voice + among, suite, measure))

    def cell(self, listener: str, measures: list) -> str:
        values = [[self.value(listener, voice, one) for voice in VOICES] for one in measures]
        if all(value is None for row in values for value in row):
            return "–"
        return "; ".join(" / ".join(map(shown, row)) for row in values)

    def unspoken(self, of_set: str, listener: str, suite: str, measure: str) -> str:
        return shown(self._values.get((listener, of_set, suite, measure)))


def table(head: list[str], rows: list[list[str]]) -> str:
    widths = [max(map(len, column)) for column in zip(head, *rows)]
    line = lambda cells: f"| {' | '.join(cell.ljust(width) for cell, width in zip(cells, widths))} |"
    return "\n".join([line(head), f"| {' | '.join('-' * width for width in widths)} |", *map(line, rows)])


def unspoken(known: Figures, figures: list[dict], of_set: str, listeners: list[str]) -> str:
    """What was measured where nobody speaks: a row for each measure, a column for each kind of room."""
    own = [figure for figure in figures if figure["set"] == of_set]
    measures, places = (list(dict.fromkeys(figure[name] for figure in own)) for name in ("measure", "suite"))
    columns = [(one, place) for one in listeners for place in places]
    rows = [[measure, *(known.unspoken(of_set, one, place, measure) for one, place in columns)] for measure in measures]
    return table(["", *(f"{one}, {place}" for one, place in columns)], rows)


def tables(figures: list[dict], other: list[dict]) -> str:
    """What was said aloud, what was typed, and what nobody asked for; `other` of another bundle, for a column of its own."""
    own, *rest = dict.fromkeys(figure["listener"] for figure in figures)
    others = list(dict.fromkeys(figure["listener"] for figure in other))[:1]
    listeners, known = [own, *others, *rest], Figures([*other, *figures])
    held_out = [[title, *(known.cell(one, measures) for one in listeners), wanted] for title, measures, wanted in HELD_OUT]
    spoken = table(["", *listeners, "we want"], held_out)
    return "\n\n".join([spoken, *(unspoken(known, figures, of_set, [own, *others]) for of_set in ("typed", "unasked"))])


def main() -> None:
    figures = json.loads((REPORT / "results.json").read_text())["figures"]
    other = [json.loads(line) for name in sys.argv[1:] for line in Path(name).read_text().splitlines()]
    print(tables(figures, other))


if __name__ == "__main__":
    main()
