"""The figures as tables for people: `report/README.md`."""

from pathlib import Path

PREAMBLE = """# What Nano was measured to do

Written by `recipe/run.py evaluate`; all figures are in `results.json`. `npm run eval` measures the same again. Every listener hears
the same sound in the same run: the bundle, through the code that serves it; another bundle; and Silero's voice activity
detector, for which a turn is over after 300, 500 or 800 ms without speech, and which stops the agent at any speech and hears the microphone alone, where the
bundles hear the agent as well. Sets: `espeak` unseen espeak-ng
variants; `slt` an unseen flite voice; `festival` an unseen engine; `-drill` the same voices in sessions full of overlaps; `-replies` in turns of a few words, by somebody who had not seen those of training. None of them was trained on. Thresholds were chosen on new sentences of
training voices, but not blind: which were changed after figures of these sets had been seen is in the [model card](../MODEL_CARD.md#choices-in-the-manifest). Sessions last
30 s (rare skills 60, long waits 75, reminders in minutes 210) and contain noise, rooms, background voices and the echo of the agent. In `typed` and `unasked` nobody speaks. What
the suites count is said in [test/README.md](../../../test/README.md).

A cell is the value, its 95 % interval, and the number of events; intervals of shares allow for events of one session hanging together, but for .00 and 1.00, where
nothing is seen to differ. A dash is something that a listener cannot do, or that did not happen. “Any threshold” is
the point of the curve with the fewest false yields among those whose median gap is at most 0.25 s and that miss at most a fifth of the ends.

![Gap against false yields](gap-curve.svg)
![Floor, label against the likeliest class, without thresholds](floor-confusion.svg)
![One dialogue](dialogue.svg)
"""


def _cell(figure: dict | None) -> str:
    if figure is None or figure.get("value") is None:
        return "–"
    unit = "" if figure["unit"] == "share" else " " + figure["unit"]
    low, high = ("–" if bound is None else f"{bound:.2f}" for bound in (figure.get("low"), figure.get("high")))
    return f"{figure['value']:.2f}{unit} ({low}–{high}, n {figure['n']})"


def _best(point: dict | None) -> str:
    if point is None:
        return "–"
    return f"{_cell({**point['falseYield'], 'unit': 'share'})} at {point['gap']:.2f} s"


def tables(results: dict) -> str:
    """One table per test set: a row per measure, a column per listener."""
    figures, parts = results["figures"], []
    listeners = list(dict.fromkeys(figure["listener"] for figure in figures))
    for test in dict.fromkeys(figure["set"] for figure in figures):
        cells = {(one["suite"], one["measure"], one["listener"]): one for one in figures if one["set"] == test}
        rows = [f"| {test} | {' | '.join(listeners)} |", "|---" * (len(listeners) + 1) + "|"]
        suite = None
        for title, measure in dict.fromkeys((one, other) for one, other, _ in cells):
            if title != suite:
                rows.append(f"| **{title}** |" + " |" * len(listeners))
                suite = title
            row = [_cell(cells.get((title, measure, listener))) for listener in listeners]
            rows.append(f"| {measure} | {' | '.join(row)} |")
        best = [_best(sets[test]["bestWithinTarget"]) for sets in results["curves"].values() if test in sets]
        if best:
            rows.append("| **any threshold** |" + " |" * len(listeners))
            rows.append(f"| fewest false yields, gap ≤ 0.25 s, missed ends ≤ 0.20 | {' | '.join(best + ['–'] * (len(listeners) - len(best)))} |")
        parts.append(f"## {test}\n\n" + "\n".join(rows))
    return "\n\n".join(parts)


def write_report(folder: Path, results: dict) -> str:
    """Writes `README.md` into `folder` and returns its tables."""
    text = tables(results)
    (folder / "README.md").write_text(f"{PREAMBLE}\n{text}\n")
    return text
