"""The figures as tables for people: `report/README.md`."""

from pathlib import Path

PREAMBLE = """# What Nano was measured to do

Written by `recipe/run.py evaluate`; all figures are in `results.json`. Every bundle hears the same sound in the same run, through
the runtime that serves it. Sets: `seen` new sentences of training voices (thresholds were chosen here); `espeak` unseen espeak-ng
variants; `slt` an unseen flite voice; `festival` an unseen engine. The last three were never trained on. Sessions last 30 s and
contain noise, rooms, background voices and the echo of the agent. Crosses on the curve are a voice activity detector without
any error that waits 0.3, 0.5 or 0.8 s: no product, the best that waiting alone can reach.

A cell is the value, its 95 % interval, and the number of events. `before` is the bundle that the candidate was compared with; a
dash is something that it cannot do, or that did not happen.

![Gap against false yields](gap-curve.svg)
![Floor, label against decision](floor-confusion.svg)
![One dialogue](dialogue.svg)
"""


def _share(figure: dict | None) -> str:
    if figure is None or figure["value"] is None:
        return "–"
    return f"{figure['value']:.3f} ({figure['low']:.2f}–{figure['high']:.2f}, n {figure['n']})"


def _seconds(value: float | None) -> str:
    return "–" if value is None else f"{value:.2f} s"


def _best(figures: dict) -> str:
    point = figures["bestWithinTarget"]
    return "–" if point is None else f"{_share(point['falseYield'])} at {_seconds(point['gap'])}"


def _act(name: str, part: str):
    return lambda figures: _share(figures["act"].get(name, {}).get(part))


ROWS = {
    "words it knows, F1": lambda figures: _share(figures["words"]["f1"]),
    "words that both know, F1": lambda figures: _share(figures["sharedWords"]["f1"]),
    "a word is written after its end, median": lambda figures: _seconds(figures["words"]["medianDelay"]),
    "floor, likeliest class right": lambda figures: _share(figures["confusion"]["accuracy"]),
    "gap after a turn, median (90 %)": lambda figures: f"{_seconds(figures['yield']['gap'])} ({_seconds(figures['yield']['gap90'])})",
    "turns whose end was missed": lambda figures: _share(figures["yield"]["missed"]),
    "false yields per pause": lambda figures: _share(figures["yield"]["falseYield"]),
    "best point of the curve within 0.25 s": _best,
    "false yields in pauses of 3 s and more": lambda figures: _share(figures["yield"]["falseYield3s"]),
    "barge-in found within two micro-turns": lambda figures: _share(figures["interruption"]["detected"]),
    "barge-in found within 1.6 s": lambda figures: _share(figures["interruption"]["detectedEver"]),
    "backchannels taken for barge-in": lambda figures: _share(figures["interruption"]["falseOnBackchannel"]),
    "voices elsewhere taken for barge-in": lambda figures: _share(figures["interruption"]["falseOnElsewhere"]),
    "own echo at -20 dB taken for barge-in": lambda figures: _share(figures.get("selfInterruptionAt20dB")),
    "final count of animals exact": lambda figures: _share(figures["count"]["finalExact"]),
    "mentions counted right, recall": lambda figures: _share(figures["count"]["mentionRecall"]),
    "reminders within 0.4 s": lambda figures: _share(figures["remind"]["inTime"]),
    "reminders that nobody asked for": lambda figures: _share(figures["remind"]["unasked"]),
    "durations within 1.5 s": lambda figures: _share(figures["elapsed"]),
    "stop, recall": _act("stop", "recall"),
    "stop, unasked": _act("stop", "unasked"),
    "delegate, recall": _act("delegate", "recall"),
    "delegate, unasked": _act("delegate", "unasked"),
    "cancel, recall": _act("cancel", "recall"),
    "cancel, unasked": _act("cancel", "unasked"),
}


def tables(results: dict) -> str:
    """One table per test set, one column per bundle."""
    names, parts = list(results), []
    for test in next(iter(results.values())):
        head = [
            f"## {test}",
            "",
            f"| {results[names[0]][test]['sessions']} sessions | {' | '.join(names)} |",
            "|---" * (len(names) + 1) + "|",
        ]
        body = [
            f"| {title} | {' | '.join(cell(results[name][test]) for name in names)} |" for title, cell in ROWS.items()
        ]
        parts.append("\n".join(head + body))
    return "\n\n".join(parts)


def write_report(folder: Path, results: dict) -> str:
    """Writes `README.md` into `folder` and returns its tables."""
    text = tables(results)
    (folder / "README.md").write_text(f"{PREAMBLE}\n{text}\n")
    return text
