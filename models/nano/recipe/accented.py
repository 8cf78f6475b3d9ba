"""English with a foreign accent: people who recorded a diphone database of another language, made to speak by festival.

Words, durations and melody are flite's. Each English phone becomes the nearest phone of the person's language, or a pair that
shares its time, and phones only follow one another as the database holds the transition between them: what it cannot say is
refused, never filled up.
"""

import os
import re
import select
import subprocess
import tempfile
import time
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path

import numpy as np
from scipy.io import wavfile

from synthesis import Delivery, Flite, ReadingError, Span, Utterance, VoiceError, at_16khz, checked

FESTIVAL = ["festival", "--pipe"]
DATABASES = Path("/usr/share/festival/voices")
PAUSE = "#"
NOTHING = "-"

# What a speaker of the language may say for each English phone. Those before the bar are about as near as one another, and one
# speaker prefers the same of them throughout; those after it are for where the database lacks a transition. `+` joins two that
# share the time of one; of nothing (`-`) the next phone takes the time.
ITALIAN = {
    "aa": "a1 O1 | a o1", "ae": "E1+a1 E1 a1 | E a", "ah": "a1 | a e1", "ao": "O1 o1 | O o", "aw": "a1+u a1+w | a+u",
    "ax": "e a | e1 a1 o i", "ay": "a1+i a1+j | a+i", "eh": "E1 | e1 E e", "er": "e1+r E1+r | o1+r e+r a1+r",
    "ey": "e1+i e1+j | e+i e1", "ih": "i1 i | e1", "iy": "i1 | i", "ow": "o1+u o1+w | o+u o1 o", "oy": "O1+i | o1+i o+i",
    "uh": "u1 | u o1", "uw": "u1 | u", "b": "b", "ch": "tS | t+S", "d": "d", "dh": "d | z v", "f": "f", "g": "g", "hh": "- | k",
    "jh": "dZ | d+S", "k": "k", "l": "l", "m": "m | n", "n": "n | nf", "ng": "ng+g n+g | ng n", "p": "p", "r": "r", "s": "s",
    "sh": "S", "t": "t | ts", "th": "t f s", "v": "v | f", "w": "w u | u1 o", "y": "j i | i1", "z": "z s", "zh": "Z dZ | S",
}
CZECH = {
    "aa": "a: a o | o:", "ae": "e a+e e: | a", "ah": "a | a:", "ao": "o: o | u", "aw": "a+u | a:+u", "ax": "e | a o i",
    "ay": "a+j | a:+j a+i", "eh": "e | e:", "er": "e+r | e:+r a+r e:", "ey": "e+j e:+j | e+i e:", "ih": "i | i: e",
    "iy": "i: | i i+j i:+j j+i:", "ow": "o+u | o:+u o:", "oy": "o+j | o:+j o+i", "uh": "u | u: o", "uw": "u: | u", "b": "b | p", "ch": "c~",
    "d": "d | t", "dh": "d z | t s v", "f": "f", "g": "g | k", "hh": "h ch | ch*", "jh": "dz~ | c~", "k": "k", "l": "l", "m": "m | n",
    "n": "n | n* m", "ng": "n*+k n*+g | n+g n*", "p": "p", "r": "r", "s": "s", "sh": "s~", "t": "t", "th": "t s f",
    "v": "v | f", "w": "v u | o", "y": "j | i", "z": "z | s", "zh": "z~ | s~",
}
FINNISH = {
    "aa": "a: a | o", "ae": "@ | @: e", "ah": "a | a: o", "ao": "o: o | a", "aw": "a+u | a:+u", "ax": "7 e a | @ i",
    "ay": "a+i | a:+i @+i", "eh": "e | e: @", "er": "7+r 7: | e+r 7", "ey": "e+i | e: e", "ih": "i | i: e", "iy": "i: | i",
    "ow": "o+u | o: o", "oy": "o+i | o:+i", "uh": "u | o u:", "uw": "u: | u", "b": "b | p", "ch": "t+s t+j | s",
    "d": "d | t", "dh": "d t | l", "f": "f | v", "g": "g | k", "hh": "h", "jh": "d+j t+j | t+s", "k": "k", "l": "l",
    "m": "m", "n": "n", "ng": "N N+k | N+g n+k n", "p": "p", "r": "r", "s": "s", "sh": "s+j s | s:", "t": "t",
    "th": "t s f", "v": "v", "w": "v u | o", "y": "j i", "z": "s", "zh": "s+j s",
}
HELSINKI = FINNISH | {
    "ch": "t+S | t+s t+j", "jh": "d+S d+j | t+S t+s", "sh": "S | s+j s", "th": "T t s | f", "w": "w v u | o", "zh": "S | s",
}
"""Of somebody whose recordings have the sounds of loan words."""

FALLBACK, BREAK = 2.0, 4.0
"""How much farther a phone for want of another is than a near one, and how far a short silence between two phones."""
BREAK_SHARE = 0.3
"""The time of that silence, beside the phone's own as 1."""

LEAD = "kal"
"""The voice of flite that gives durations and melody."""
LEAD_HZ, LEAD_LIVELINESS = 97.0, 1.5
"""Its own pitch, and how much more lively people are than it is."""
LOWEST, HIGHEST = 0.55, 2.0
"""How far a person's pitch may go from that of the recordings."""
RISE, FALL, ENDING_SECONDS = 0.35, -0.12, 0.35
"""Where the pitch of a question and of a statement ends, in natural logarithms, and how long before the end it starts to go there."""
PATIENCE_SECONDS = 30.0
CLICK, CLICK_BLOCKS = 2.0, 6
"""How far a peak may stand out, and among how many blocks of 10 ms on each side."""
FADE_SECONDS, HUM = 0.02, 0.1
RUN_OVER = 1.0
"""A step between two samples that no voice takes."""


@dataclass(frozen=True)
class Person:
    """Somebody whose voice is a diphone database."""

    package: str
    """The Debian package that it comes in."""
    command: str
    """What makes festival speak with it."""
    database: str
    """Its file, from festival's folder of voices."""
    pitch_hz: float
    """The pitch it was recorded at."""
    phones: dict[str, str] = field(hash=False)
    gain: float
    """What keeps its samples from running over, which festival would not say."""
    first: dict[str, str] = field(default_factory=dict, hash=False)
    """Phones that have another name in the database right after silence."""
    last: dict[str, str] = field(default_factory=dict, hash=False)
    """Those right before it; named as silence they break off."""


PEOPLE = {
    "lp": Person("festvox-italp16k", "voice_lp_diphone", "italian/lp_diphone/group/lp_diphone.group", 196, ITALIAN, 0.3),
    "pc": Person("festvox-itapc16k", "voice_pc_diphone", "italian/pc_diphone/group/pc_diphone.group", 111, ITALIAN, 0.3),
    "dita": Person("festvox-czech-dita", "voice_czech_dita", "czech/czech_dita/group/dita.group", 219, CZECH, 0.7),
    "krb": Person("festvox-czech-krb", "voice_czech_krb", "czech/czech_krb/group/krb.group", 248, CZECH, 0.7),
    "machac": Person("festvox-czech-machac", "voice_czech_machac", "czech/czech_machac/group/machac.group", 78, CZECH, 0.55),
    "ph": Person("festvox-czech-ph", "voice_czech_ph", "czech/czech_ph/group/ph.group", 134, CZECH, 0.9),
    "lj": Person(
        "festvox-suopuhe-lj", "voice_suo_fi_lj_diphone", "finnish/suo_fi_lj_diphone/group/ljlpc.group", 127, FINNISH, 0.5,
        first={"l": "L"}, last={"l": "L", "m": PAUSE, "f": PAUSE, "v": PAUSE},
    ),
    "mv": Person("festvox-suopuhe-mv", "voice_hy_fi_mv_diphone", "finnish/hy_fi_mv_diphone/group/mvlpc.group", 85, HELSINKI, 1.0),
}


@cache
def transitions(person: Person) -> frozenset[tuple[str, str]]:
    """The pairs of phones that a database holds. @throws VoiceError if it is not installed."""
    path = DATABASES / person.database
    if not path.exists():
        raise VoiceError(f"{path} is not there: apt-get install {person.package}")
    head, _, body = path.read_bytes().partition(b"EST_Header_End\n")
    total = int(re.search(rb"NumEntries (\d+)", head)[1])
    names = (line.split()[0].decode("latin1") for line in body.split(b"\n", total)[:total])
    held = {(left, right) for left, _, right in (name.partition("-") for name in names)}
    held |= {(PAUSE, phone) for phone, name in person.first.items() if (PAUSE, name) in held}
    return frozenset(held | {(phone, PAUSE) for phone, name in person.last.items() if (name, PAUSE) in held})


class Accent:
    """How one speaker of a language says English: which of several near phones is theirs is drawn from `seed`."""

    def __init__(self, phones: dict[str, str], pairs: frozenset[tuple[str, str]], seed: int):
        random = np.random.default_rng(seed)
        self._pairs = pairs
        self._said = {"sil": [(0.0, (PAUSE,))]}
        for english, said in phones.items():
            near, _, far = said.partition("|")
            options = [(float(random.random()), form) for form in near.split()]
            options += [(FALLBACK + index / 2, form) for index, form in enumerate(far.split())]
            self._said[english] = [(cost, () if form == NOTHING else tuple(form.split("+"))) for cost, form in options]

    def say(self, phones: list[str]) -> list[tuple[str, ...]] | None:
        """What is said for each of `phones`, at the least distance in all; nothing where the database cannot say it."""
        best: dict[str, tuple[float, list[tuple[str, ...]]]] = {"": (0.0, [])}
        for phone in phones:
            reached: dict[str, tuple[float, list[tuple[str, ...]]]] = {}
            for last, (distance, path) in best.items():
                for cost, form in self._said[phone]:
                    joined = self._join(last, form)
                    if joined is None:
                        continue
                    end, total = (form[-1] if form else last), distance + cost + BREAK * (len(joined) - len(form))
                    if end not in reached or total < reached[end][0]:
                        reached[end] = (total, [*path, joined])
            best = reached
        return min(best.values(), key=lambda reach: reach[0])[1] if best else None

    def _join(self, last: str, form: tuple[str, ...]) -> tuple[str, ...] | None:
        """`form` as it is said after `last`, with a short silence before it if it must be; nothing if it cannot be said."""
        if any(pair not in self._pairs for pair in zip(form, form[1:])):
            return None
        if not form or not last or (last, form[0]) in self._pairs:
            return form
        silenced = (last, PAUSE) in self._pairs and (PAUSE, form[0]) in self._pairs and PAUSE not in (last, form[0])
        return (PAUSE, *form) if silenced else None


@dataclass
class Segment:
    """One phone that festival is to say; `targets` are its pitch, as seconds from its start and Hz."""

    name: str
    seconds: float
    targets: list[tuple[float, float]]


def time_segments(phones: list[Span], said: list[tuple[str, ...]]) -> tuple[list[Segment], list[int]]:
    """The phones of `said` in the time of `phones`, without pitch, and how many of them there are up to the end of each phone."""
    segments, counts, spare = [], [], 0.0
    for phone, form in zip(phones, said):
        seconds = phone.end - phone.start + spare
        spare = 0.0 if form else seconds
        short = len(form) > 1 and form[0] == PAUSE
        weights = [BREAK_SHARE if short and index == 0 else 1.0 for index in range(len(form))]
        segments += [Segment(name, seconds * weight / sum(weights), []) for name, weight in zip(form, weights)]
        counts.append(len(segments))
    return segments, counts


# festival's own steps for diphones. Its samples are whole numbers that run over, so the recordings are made quieter, once each:
# festival keeps them.
SAY = """
(Param.def "unisyn.window_name" "hanning")
(Param.def "unisyn.window_factor" 1.0)
(set! done nil)
(define (quieten unit)
  (if (not (member_string (item.name unit) done))
      (begin (wave.rescale (item.feat unit "sig") quieter) (set! done (cons (item.name unit) done)))))
(define (say spoken renamed)
  (Initialize spoken)
  (mapcar
    (lambda (other) (item.set_feat (nth (car other) (utt.relation.items spoken 'Segment)) (cadr other) (caddr other)))
    renamed)
  (us_get_diphones spoken)
  (mapcar quieten (utt.relation.items spoken 'Unit))
  (us_unit_concat spoken)
  (targets_to_f0 spoken)
  (us_f0_to_pitchmarks spoken 'f0 'TargetCoef (+ (item.feat (utt.relation.last spoken 'Segment) "end") 0.02))
  (us_mapping spoken 'segment_single)
  (us_generate_wave spoken 'lpc 'analysis_period))
"""


def without_clicks(pcm: np.ndarray, rate_hz: int) -> np.ndarray:
    """
    `pcm` [n] without the lone peaks of joins, where a pulse of one sound went through the filter of the next.

    A peak is cut to `CLICK` times what two others within 60 ms reach, and no lower than to an ordinary loud sample.
    """
    size = rate_hz // 100
    blocks = np.pad(np.abs(pcm), (0, -len(pcm) % size)).reshape(-1, size).max(axis=1)
    around = np.sort(np.lib.stride_tricks.sliding_window_view(np.pad(blocks, CLICK_BLOCKS), 2 * CLICK_BLOCKS + 1), axis=1)
    limits = np.maximum(CLICK * around[:, -3], np.percentile(np.abs(pcm), 97))
    limit = np.repeat(limits, size)[: len(pcm)].astype(np.float32)
    return np.clip(pcm, -limit, limit)


def without_hum(pcm: np.ndarray, rate_hz: int, phones: list[Span]) -> np.ndarray:
    """`pcm` [n] with its pauses faded out: some were recorded in rooms that hum."""
    times, gains = [0.0], [1.0]
    for phone in phones:
        if phone.name == "sil" and phone.end - phone.start > 3 * FADE_SECONDS:
            times += [phone.start + FADE_SECONDS / 2, phone.start + FADE_SECONDS * 1.5, phone.end - FADE_SECONDS, phone.end]
            gains += [1.0, HUM, HUM, 1.0]
    if phones and phones[-1].name == "sil":
        gains[-1] = HUM  # festival adds a little after the end
    return (pcm * np.interp(np.arange(len(pcm)) / rate_hz, times, gains)).astype(np.float32)


class Reader:
    """A running festival with the voice of one person."""

    def __init__(self, name: str):
        self._name, self._person = name, PEOPLE[name]
        self._folder: tempfile.TemporaryDirectory | None = None
        self._process: subprocess.Popen | None = None
        self._asked = 0

    def read(self, segments: list[Segment]) -> tuple[np.ndarray, int, list[float]]:
        """
        @returns the samples, in [-1, 1]; their rate; and when each segment ends
        @throws ReadingError if the database lacks something; VoiceError if festival fails twice
        """
        try:
            return self._ask(segments)
        except (TimeoutError, OSError):  # it hangs or has died: once more, with another one
            self.close()
        try:
            return self._ask(segments)
        except (TimeoutError, OSError) as error:
            self.close()
            raise VoiceError(f"festival failed twice with the voice {self._name!r}: {error}") from error

    def close(self) -> None:
        if self._process:
            self._process.kill()
            self._process.wait()
            self._process.stdin.close()
            self._process.stdout.close()
        if self._folder:
            self._folder.cleanup()
        self._process = self._folder = None

    def _ask(self, segments: list[Segment]) -> tuple[np.ndarray, int, list[float]]:
        if not self._process:
            self._open()
        wav = Path(self._folder.name) / "speech.wav"
        wav.unlink(missing_ok=True)
        targets = lambda segment: " ".join(f"({at:.4f} {hz:.1f})" for at, hz in segment.targets)
        phones = " ".join(f'("{segment.name}" {segment.seconds:.4f} {targets(segment)})' for segment in segments)
        said = self._tell(
            f"""(set! spoken (Utterance Segments ({phones})))
(unwind-protect (begin (say spoken '({self._renamed(segments)})) (utt.save.wave spoken "{wav}" 'riff)
(mapcar (lambda (phone) (format t "end %f\\n" (item.feat phone 'end))) (utt.relation.items spoken 'Segment)))
(format t "failed\\n"))"""
        )
        ends = [float(end) for end in re.findall(r"^end (\S+)$", said, re.MULTILINE)]
        complaint = re.search(r"^(?!end ).+$", said, re.MULTILINE)
        if complaint or not wav.exists():
            raise ReadingError(f"festival says of {self._name!r}: {said[:300]}")
        rate_hz, samples = wavfile.read(wav)
        pcm = without_clicks(samples.astype(np.float32) / 32_768, rate_hz)
        if np.abs(np.diff(pcm)).max() > RUN_OVER:
            raise ReadingError(f"the samples of {self._name!r} ran over")
        return pcm, rate_hz, ends

    def _renamed(self, segments: list[Segment]) -> str:
        """Which segments have another name in the database, before or after the join, as festival's `say` takes it."""
        renamed = []
        for index, (one, following) in enumerate(zip(segments, segments[1:])):
            if one.name == PAUSE and following.name in self._person.first:
                renamed.append(f'({index + 1} "us_diphone_right" "{self._person.first[following.name]}")')
            if following.name == PAUSE and one.name in self._person.last:
                renamed.append(f'({index} "us_diphone_left" "{self._person.last[one.name]}")')
        return " ".join(renamed)

    def _open(self) -> None:
        transitions(self._person)  # says which package is missing
        self._folder = tempfile.TemporaryDirectory()
        self._process = subprocess.Popen(
            FESTIVAL,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env={"HOME": self._folder.name, "PATH": "/usr/bin:/bin"},
        )
        said = self._tell(f"({self._person.command}) (set! quieter {self._person.gain}) {SAY}")
        if "ERROR" in said:
            self.close()
            hint = f"apt-get install {self._person.package}"
            raise VoiceError(f"festival has no voice {self._name!r}: {hint}: {said.strip()[:200]}")

    def _tell(self, script: str) -> str:
        """What festival prints until it has run `script`. @throws TimeoutError if it hangs; OSError if it ends."""
        self._asked += 1
        mark, said, deadline = f"\ntold {self._asked}\n", "", time.monotonic() + PATIENCE_SECONDS
        self._process.stdin.write(f'{script}\n(format t "\\ntold {self._asked}\\n") (fflush nil)\n'.encode("latin1"))
        self._process.stdin.flush()
        pipe = self._process.stdout.fileno()
        while not said.endswith(mark):
            if not select.select([pipe], [], [], max(0.0, deadline - time.monotonic()))[0]:
                raise TimeoutError(f"festival did not answer within {PATIENCE_SECONDS} s")
            part = os.read(pipe, 1 << 16)
            if not part:
                raise OSError(f"festival ended: {said[-300:]}")
            said += part.decode("latin1")
        return said.removesuffix(mark)


class Accented:
    """English by people who speak other languages. One festival for each, opened when first needed, until `close`."""

    def __init__(self, flite: Flite):
        self._flite = flite
        self._readers: dict[str, Reader] = {}
        self._accents: dict[str, Accent] = {}

    def speak(
        self, words: list[str], marks: dict[int, str], voice: str, delivery: Delivery, speed: float = 1.0
    ) -> Utterance:
        """
        @param voice `person+accent`: a name of `PEOPLE`, and a number that says which habits the speaker has
        @throws VoiceError if nobody is called that, is not installed or makes no sound; ReadingError if the text was read as other
            words, or needs sounds that the database lacks
        """
        name, _, seed = voice.partition("+")
        if name not in PEOPLE:
            raise VoiceError(f"nobody is called {voice!r}")
        person = PEOPLE[name]
        if voice not in self._accents:
            self._accents[voice] = Accent(person.phones, transitions(person), int(seed or 0))
        plain = self._flite.speak(words, marks, LEAD, Delivery(tempo=delivery.tempo / speed))
        said = self._accents[voice].say([phone.name for phone in plain.phones])
        if said is None:
            raise ReadingError(f"{name!r} lacks the sounds of {' '.join(words)!r}")
        segments, counts = time_segments(plain.phones, said)
        pitch = replace(delivery, pitch=delivery.pitch / speed)
        self._sing(segments, person, pitch, plain.words[-1].end, marks.get(len(words) - 1, "") == "?")
        reader = self._readers.setdefault(name, Reader(name))
        pcm, rate_hz, ends = reader.read(segments)
        if len(ends) != len(segments):
            raise ReadingError(f"{name!r} said {len(ends)} phones of {len(segments)} of {' '.join(words)!r}")
        reached = [ends[count - 1] if count else 0.0 for count in counts]
        phones = [
            Span(phone.name, start, end) for phone, start, end in zip(plain.phones, [0.0, *reached], reached) if end > start
        ]
        asked = [phone.end for phone in plain.phones]
        moved = lambda seconds: float(np.interp(seconds, [0.0, *asked], [0.0, *reached]))
        spoken = [Span(word.name, moved(word.start), moved(word.end)) for word in plain.words]
        quiet = without_hum(checked(pcm, voice, " ".join(words)), rate_hz, phones)
        return at_16khz(Utterance(quiet, spoken, phones), rate_hz, speed)

    def close(self) -> None:
        """Ends every festival; they come back when somebody speaks again."""
        for reader in self._readers.values():
            reader.close()
        self._readers.clear()

    def _sing(self, segments: list[Segment], person: Person, delivery: Delivery, end: float, question: bool) -> None:
        """Gives `segments` flite's melody at the person's pitch; `end` is where the last word does."""
        times, pitches = self._flite.melody()
        melody = np.log(pitches / LEAD_HZ) * (LEAD_LIVELINESS * delivery.liveliness)
        start = 0.0
        for segment in segments:
            for share in (0.0, 0.5):
                moment = start + segment.seconds * share
                ending = np.clip(1 - (end - moment) / ENDING_SECONDS, 0, 1) * (RISE if question else FALL)
                factor = delivery.pitch * np.exp(np.interp(moment, times, melody) + ending)
                hz = person.pitch_hz * float(np.clip(factor, LOWEST, HIGHEST))
                segment.targets.append((segment.seconds * share, hz))
            start += segment.seconds
