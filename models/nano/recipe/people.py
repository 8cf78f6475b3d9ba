#!/usr/bin/env python3
"""
Recordings of people that Debian has, for `npm run eval -- --people`: nobody is trained on, and nothing of them ships.

    apt-get install ffmpeg alsa-utils asterisk-core-sounds-en-g722 ktuberling-data pocketsphinx-testdata tuxpaint-stamps-default
    python3 people.py                   into MICROTURN_NANO_HOME/people
    npm run eval -- --people ~/.cache/microturn/nano/people

Beside what people said lies the same said by the voices that stand in for strangers, at the same level: what differs between the two is
the voice. What is not written anywhere has no text, and tells only about the floor.
"""

import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Iterator

import numpy as np
from scipy.io import wavfile

from acoustics import SPEECH_LEVEL, at_level
from config import HOME, SEED
from features import RATE_HZ
from line import parse
from synthesis import ReadingError, build_native
from texts import Writer
from vocabulary import TEENS, TENS, UNITS
from voices import TEST_VOICES, Studio, draw_other, draw_speaker

SHARE = Path("/usr/share")
ASTERISK = SHARE / "asterisk/sounds/en_US_f_Allison"
POCKETSPHINX = SHARE / "pocketsphinx/test/data"
PACKAGES = {
    "alsa-utils": SHARE / "sounds/alsa",
    "asterisk-core-sounds-en-g722": ASTERISK,
    "ktuberling-data": SHARE / "ktuberling/sounds/en",
    "pocketsphinx-testdata": POCKETSPHINX,
    "tuxpaint-stamps-default": SHARE / "tuxpaint/stamps",
}
DAYS = "sunday monday tuesday wednesday thursday friday saturday".split()
PROMPTS = {
    "hello": "hello", "hello-world": "hello world", "goodbye": "goodbye", "for": "for", "hours": "hours", "minute": "minute",
    "minutes": "minutes", "is": "is", "im-sorry": "i'm sorry", "number": "number", "one-moment-please": "one moment please",
    "please-try-again": "please try again", "seconds": "seconds", "second": "second", "time": "time", "with": "with", "your": "your",
    "sorry": "sorry", "to-listen-to-it": "to listen to it",
}  # fmt: skip
"""Of Asterisk's prompts those whose names are what they say."""
NO_SPEECH = ("beep", "tone", "confbridge-join", "confbridge-leave", "monkeys")
LONGEST_SECONDS = 8.0
"""Longer prompts are several sentences, whose ends are ends of turns as well."""
AUDIBLE, EDGE_SECONDS = 0.02, 0.05
"""Of the loudest sample: what is quieter before and after is cut off, but for so long."""
AGENT_SECONDS = 12.0


@dataclass(frozen=True)
class Clip:
    """What one person said in one file."""

    speaker: str
    file: Path
    text: str = ""


def clips() -> Iterator[Clip]:
    """@throws SystemExit naming the packages that are missing"""
    missing = [name for name, folder in PACKAGES.items() if not folder.exists()]
    if missing:
        raise SystemExit(f"people.py needs: apt-get install {' '.join(missing)}")
    yield from _asterisk()
    for file in sorted(PACKAGES["tuxpaint-stamps-default"].rglob("*_desc.ogg")):
        note = file.with_name(file.name.replace("_desc.ogg", ".txt"))
        if note.exists():
            yield Clip("tuxpaint", file, note.read_text(errors="replace").splitlines()[0].lower().strip(". "))
    for file in sorted(PACKAGES["ktuberling-data"].glob("*.ogg")):
        words = file.stem.rsplit("_", 1)[-1]
        yield Clip("ktuberling", file, {"palmtree": "palm tree", "fallingstar": "falling star"}.get(words, words))
    for folder, notes in ("librivox", "transcription"), ("cards", "cards.transcription"):
        for line in (POCKETSPHINX / folder / notes).read_text().splitlines():
            text, _, name = line.partition("</s>")
            yield Clip(folder, POCKETSPHINX / folder / f"{name.strip(' ()')}.wav", text.replace("<s>", "").strip())
    yield Clip("goforward", POCKETSPHINX / "goforward.raw", "go forward ten meters")
    for file in sorted(PACKAGES["alsa-utils"].glob("*_*.wav")):
        yield Clip("alsa", file, file.stem.lower().replace("_", " "))


def _asterisk() -> Iterator[Clip]:
    numbers = dict(enumerate(["zero", *UNITS, *TEENS])) | {10 * (index + 2): name for index, name in enumerate(TENS)}
    named = {f"digits/{value}": name for value, name in numbers.items()}
    named |= {f"digits/day-{index}": name for index, name in enumerate(DAYS)}
    named |= {f"digits/{name}": name for name in ("hundred", "thousand", "today", "tomorrow", "yesterday", "at")}
    named |= {"digits/h-1": "first", "digits/h-3": "third"} | PROMPTS
    for name, text in named.items():
        yield Clip("asterisk", ASTERISK / f"{name}.g722", text)
    for file in sorted(ASTERISK.glob("*.g722")):
        if file.stem not in named and not any(name in file.stem for name in NO_SPEECH):
            yield Clip("asterisk", file)


def decoded(file: Path) -> np.ndarray:
    """[n] f32 at 16 kHz of whatever ffmpeg reads; raw files are 16 kHz, 16 bit. @throws SystemExit where it does not"""
    known = {".raw": ["-f", "s16le", "-ar", str(RATE_HZ), "-ac", "1"], ".g722": ["-f", "g722"]}.get(file.suffix, [])
    command = ["ffmpeg", "-v", "error", *known, "-i", str(file), "-ar", str(RATE_HZ), "-ac", "1", "-f", "f32le", "-"]
    try:
        return np.frombuffer(subprocess.run(command, capture_output=True, check=True).stdout, np.float32)
    except FileNotFoundError:
        raise SystemExit("people.py needs: apt-get install ffmpeg") from None
    except subprocess.CalledProcessError as error:
        raise SystemExit(f"{file}: {error.stderr.decode().strip()}") from None


def levelled(pcm: np.ndarray) -> np.ndarray:
    """Without the silence around it, as loud as speech in a session. @throws SystemExit where there is nothing else"""
    audible = np.flatnonzero(np.abs(pcm) > AUDIBLE * np.abs(pcm).max(initial=1e-4))
    if not len(audible):
        raise SystemExit("a recording is silent")
    edge = int(EDGE_SECONDS * RATE_HZ)
    return at_level(pcm[max(0, audible[0] - edge) : audible[-1] + edge], SPEECH_LEVEL)


def save(file: Path, pcm: np.ndarray) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    wavfile.write(file, RATE_HZ, (np.clip(pcm, -1, 1) * 32_767).astype(np.int16))


def agent(studio: Studio, random: np.random.Generator) -> np.ndarray:
    """What the agent says while it is talked over: sentences on end."""
    voice, writer, sound = draw_other(random), Writer(random), np.zeros(0, np.float32)
    while len(sound) < AGENT_SECONDS * RATE_HZ:
        try:
            sound = np.concatenate([sound, levelled(studio.record(voice, parse(writer.talk()).words, {}, random).pcm)])
        except ReadingError:
            continue
    return sound[: int(AGENT_SECONDS * RATE_HZ)]


def gather(folder: Path) -> list[tuple[str, str, str, str]]:
    """Writes all recordings, and what is in them: set, speaker, file, text."""
    studio, random, lines = Studio(HOME / "native"), np.random.default_rng(SEED), []

    def add(voices: str, speaker: str, pcm: np.ndarray, text: str) -> None:
        file = f"{voices}/{speaker}-{len(lines):04d}.wav"
        save(folder / file, levelled(pcm))
        lines.append((voices, speaker, file, text))

    for clip in clips():
        pcm = decoded(clip.file)
        if clip.text or len(pcm) <= LONGEST_SECONDS * RATE_HZ:
            add("people" if clip.text else "prompts", clip.speaker, pcm, clip.text)
    for voices in TEST_VOICES:
        for _, speaker, _, text in [line for line in lines if line[0] == "people"]:
            try:
                add(voices, speaker, studio.record(draw_speaker(voices, random), text.replace("-", " ").split(), {}, random).pcm, text)
            except ReadingError:
                print(f"{voices} misreads “{text}”: left out")
    save(folder / "agent.wav", agent(studio, random))
    return lines


def main() -> None:
    build_native(HOME / "native")
    folder = HOME / "people"
    lines = gather(folder)
    table = "\n".join("\t".join(line) for line in [("set", "speaker", "file", "text"), *lines])
    (folder / "clips.tsv").write_text(table + "\n")  # last: it says that all of it is there
    print(f"{len(lines)} recordings in {folder}")


if __name__ == "__main__":
    main()
