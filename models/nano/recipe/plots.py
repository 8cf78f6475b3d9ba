"""Pictures for people: the gap curve, the floor's confusion, one dialogue on its clock."""

import json
from pathlib import Path

import matplotlib

matplotlib.use("svg")
import matplotlib.pyplot as plt  # noqa: E402 (the backend comes first)
import numpy as np

from bundle import run_bundle
from decoding import heard_words, said_words
from evaluate import load_shard
from labels import TURN_SECONDS
from vocabulary import FLOOR

COLOURS = dict(zip(FLOOR, ["#dddddd", "#4c78a8", "#9ecae9", "#f2cf5b", "#54a24b", "#e45756", "#b279a2", "#9d755d"]))


def draw(report: Path, bundle: Path, shard: Path) -> None:
    """Writes the three pictures into `report`, from its `results.json` and one session of `shard`."""
    plt.rcParams["svg.hashsalt"] = "nano"  # the same figures give the same file
    results = json.loads((report / "results.json").read_text())
    _save(report / "gap-curve.svg", gap_curves(results["curves"], results["figures"]))
    _save(report / "floor-confusion.svg", confusions(results["curves"]["nano"]))
    _save(report / "dialogue.svg", dialogue(bundle, shard))


def _save(path: Path, figure) -> None:
    figure.savefig(path, bbox_inches="tight", metadata={"Date": None})
    plt.close(figure)


def lower_envelope(points: list[dict]) -> list[tuple[float, float]]:
    """The points that no other point beats in both gap and false yields, by gap."""
    best, envelope = float("inf"), []
    for gap, false in sorted(
        (point["gap"], point["falseYield"]["value"]) for point in points if point["gap"] is not None
    ):
        if false < best:
            envelope.append((gap, false))
            best = false
    return envelope


def points_of(figures: list[dict], test: str) -> dict[str, tuple[float | None, float]]:
    """By listener: median gap and false yields per pause at the thresholds that it ships with."""
    value = {(one["listener"], one["measure"]): one.get("value") for one in figures if one["set"] == test}
    listeners = dict.fromkeys(listener for listener, _ in value)
    return {
        listener: (value[listener, "gap after a turn, median"], value[listener, "pause taken for the end"])
        for listener in listeners
        if (listener, "gap after a turn, median") in value
    }


def gap_curves(curves: dict, figures: list[dict]):
    """Median gap against false yields per pause: curves of bundles over all thresholds, and a cross per waiting VAD."""
    tests = list(next(iter(curves.values())))
    figure, axes = plt.subplots(1, len(tests), figsize=(4 * len(tests), 3.4), sharey=True, squeeze=False)
    for axis, test in zip(axes[0], tests):
        for (name, sets), style in zip(curves.items(), ("o-", "s--", "^:")):
            axis.plot(*zip(*lower_envelope(sets[test]["curve"])), style, markersize=3, label=name)
        for listener, point in points_of(figures, test).items():
            if None in point:
                continue  # half of the turns were missed: there is no median
            vad = listener.startswith("silero")
            axis.plot(*point, "kx" if vad else "k*", markersize=6)
            label = listener.removeprefix("silero ") if vad else "as shipped"
            axis.annotate(label, point, textcoords="offset points", xytext=(4, 4), fontsize=7)
        axis.set_title(test, fontsize=9)
        axis.set_xlabel("median gap after a turn, s")
        axis.set_xlim(0, 1.2)
        axis.grid(alpha=0.3)
    axes[0][0].set_ylabel("pauses taken for the end")
    axes[0][0].set_ylim(0, None)
    axes[0][-1].legend(fontsize=8)
    return figure


def confusions(sets: dict):
    """The likeliest class against the label, rows as shares, one matrix per test set."""
    figure, axes = plt.subplots(1, len(sets), figsize=(3.6 * len(sets), 3.6), squeeze=False)
    for axis, (test, figures) in zip(axes[0], sets.items()):
        table = np.array(figures["confusion"]["table"], float)
        shares = table / np.maximum(1, table.sum(1, keepdims=True))
        axis.imshow(shares, vmin=0, vmax=1, cmap="Blues")
        for row, column in np.argwhere(shares >= 0.005):
            axis.text(
                column,
                row,
                f"{shares[row, column]:.2f}".lstrip("0"),
                ha="center",
                va="center",
                fontsize=6,
                color="white" if shares[row, column] > 0.6 else "black",
            )
        axis.set_xticks(range(len(FLOOR)), FLOOR, rotation=60, ha="right", fontsize=7)
        axis.set_yticks(
            range(len(FLOOR)), [f"{name} ({int(count)})" for name, count in zip(FLOOR, table.sum(1))], fontsize=7
        )
        axis.set_title(test, fontsize=9)
    figure.tight_layout()
    return figure


def dialogue(bundle: Path, shard: Path):
    """One session: what was said, what was heard, whose floor it was, and what the agent said."""
    sessions, outputs = load_shard(shard), run_bundle(bundle, shard)
    eventful = max(range(len(sessions)), key=lambda row: len({event["kind"] for event in sessions[row].events}))
    session, classes = sessions[eventful], outputs.classes("floor")
    figure, axes = plt.subplots(
        5, 1, figsize=(16, 6), sharex=True, gridspec_kw={"height_ratios": [1.2, 1, 1.2, 0.5, 1.6]}
    )
    time = np.arange(len(session.floor)) * TURN_SECONDS

    def lane(axis, title):
        axis.set_ylabel(title, rotation=0, ha="right", va="center", fontsize=8)
        axis.set_yticks([])

    sound = np.load(shard / "sound.npy", mmap_mode="r")[eventful]
    for stream, colour in zip(sound, ("#4c78a8", "#e45756")):
        axes[0].plot(np.arange(0, len(stream), 80) / 16_000, stream[::80] / 32_768, color=colour, linewidth=0.4)
    lane(axes[0], "sound\n(red: agent)")
    for axis, floor, title in ((axes[1], session.floor, "floor, label"), (axes[2], None, "floor, Nano")):
        if floor is not None:
            axis.bar(time, 1, TURN_SECONDS, align="edge", color=[COLOURS[FLOOR[index]] for index in floor])
        else:
            axis.stackplot(
                time + TURN_SECONDS / 2,
                outputs.floor[eventful].T,
                colors=[COLOURS[name] for name in classes],
                labels=classes,
            )
            axis.legend(fontsize=7, ncol=8, loc="lower center", bbox_to_anchor=(0.5, -2.6))
        lane(axis, title)
    axes[3].bar(time, np.load(shard / "play.npy")[eventful], TURN_SECONDS, align="edge", color="#e45756")
    lane(axes[3], "agent audible")
    axes[4].set_ylim(0, 3)
    lane(axes[4], "spoken\nheard\nagent's words")
    for word in session.words:
        if word["end"] > time[-1]:
            continue  # it was cut off with the session
        axes[4].text(word["end"], 2.2, word["name"], rotation=60, fontsize=6)
    for word in heard_words(outputs.words[eventful], outputs.classes("words"), 0.5):
        axes[4].text(word.seconds, 1.2, word.name, rotation=60, fontsize=6)
    for turn, name in said_words(outputs.say[eventful], outputs.classes("say")):
        axes[4].text((turn + 1) * TURN_SECONDS, 0.2, name, fontsize=7, color="#e45756")
    axes[4].set_xlabel("s")
    return figure
