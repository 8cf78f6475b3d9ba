"""Voice conversion by signal processing: other vocal tracts and other voice qualities from the same recording.

Pitch comes from the synthesiser and from playing faster; this changes what those cannot. The spectral envelope is taken
off by cepstral smoothing, moved along the frequency axis (a longer or shorter vocal tract), and put back; part of the
excitation is replaced by noise (breath); a random smooth filter colours the result.
"""

from dataclasses import dataclass

import numpy as np
from scipy.fft import irfft, rfft

FRAME, HOP = 512, 128
BINS = FRAME // 2 + 1
LIFTER = 28  # quefrencies kept for the envelope: about 1.75 ms at 16 kHz, below the shortest pitch period
WINDOW = np.hanning(FRAME + 1)[:-1].astype(np.float32)


@dataclass(frozen=True)
class Conversion:
    """One speaker's conversion. `Conversion()` changes nothing."""

    formants: float = 1.0
    """Factor on formant frequencies, 0.8 (long tract) to 1.25 (short)."""
    bend: float = 0.0
    """Extra formant factor at the low end that fades to nothing at 4 kHz."""
    breath: float = 0.0
    """Share of the excitation above 1.5 kHz that becomes noise, 0 to 1; 1 also whispers the low end."""
    contrast: float = 1.0
    """Exponent on the envelope's peaks: below 1 muffles them, above 1 sharpens them."""
    colour: tuple[float, ...] = ()
    """Gain in dB at equally spaced points from 0 to 8 kHz."""


def draw_conversion(random: np.random.Generator, strength: float = 1.0) -> Conversion:
    """A random speaker; `strength` scales how far it may be from the source."""
    spread = lambda width: float(np.clip(random.normal(0, width * strength), -2 * width, 2 * width))
    return Conversion(
        formants=float(np.exp(spread(0.09))),
        bend=spread(0.06),
        breath=float(random.beta(1, 3)) * strength if random.random() < 0.6 else 0.0,
        contrast=float(np.exp(spread(0.12))),
        colour=tuple(spread(3.0) for _ in range(8)),
    )


def convert(pcm: np.ndarray, conversion: Conversion, random: np.random.Generator) -> np.ndarray:
    """`pcm` [n] at 16 kHz as another speaker, the same length and the same loudness."""
    if conversion == Conversion():
        return pcm
    padded = np.pad(pcm, (FRAME, FRAME + HOP))
    frames = np.lib.stride_tricks.sliding_window_view(padded, FRAME)[::HOP] * WINDOW
    spectrum = rfft(frames, axis=1)
    log_magnitude = np.log(np.abs(spectrum) + 1e-5)
    envelope = _envelope(log_magnitude)
    target = _warp(envelope, conversion)
    if conversion.contrast != 1.0:
        middle = target.mean(axis=1, keepdims=True)
        target = middle + (target - middle) * conversion.contrast
    if conversion.colour:
        points = np.linspace(0, BINS - 1, len(conversion.colour))
        target = target + np.interp(np.arange(BINS), points, conversion.colour) * (np.log(10) / 20)
    if conversion.breath > 0:
        spectrum = _breathe(spectrum, envelope, conversion.breath, random)
    frames = irfft(spectrum * np.exp(np.clip(target - envelope, -6, 4)), axis=1)[:, :FRAME] * WINDOW
    out = _overlap_add(frames)[FRAME : FRAME + len(pcm)]
    level = np.sqrt(np.mean(pcm**2) / (np.mean(out**2) + 1e-12))
    return (out * level).astype(np.float32)


def _envelope(log_magnitude: np.ndarray) -> np.ndarray:
    """Cepstrally smoothed log envelope, [frames, BINS]."""
    cepstrum = irfft(log_magnitude, axis=1)
    cepstrum[:, LIFTER : FRAME - LIFTER + 1] = 0
    return rfft(cepstrum, axis=1).real


def _warp(envelope: np.ndarray, conversion: Conversion) -> np.ndarray:
    """The envelope moved along the frequency axis: bin k shows what was at bin k / factor(k)."""
    bins = np.arange(BINS)
    factor = conversion.formants * (1 + conversion.bend * np.clip(1 - bins / (BINS // 2), 0, 1))
    source = np.clip(bins / factor, 0, BINS - 1.001)
    low = source.astype(int)
    share = (source - low).astype(np.float32)
    return envelope[:, low] * (1 - share) + envelope[:, low + 1] * share


def _breathe(spectrum: np.ndarray, envelope: np.ndarray, breath: float, random: np.random.Generator) -> np.ndarray:
    """Mixes the excitation with noise of the same envelope, more of it the higher the frequency."""
    rise = np.clip((np.arange(BINS) * 16_000 / FRAME - 1_500 * (1 - breath)) / 2_500, 0, 1) * breath
    phase = random.uniform(0, 2 * np.pi, spectrum.shape).astype(np.float32)
    return spectrum * np.sqrt(1 - rise**2) + np.exp(envelope + 1j * phase) * rise


def _overlap_add(frames: np.ndarray) -> np.ndarray:
    """Sum of frames at HOP; squared Hann windows at a quarter overlap add up to 1.5."""
    count, blocks = len(frames), FRAME // HOP
    out = np.zeros((count + blocks, HOP), np.float32)
    parts = frames.reshape(count, blocks, HOP)
    for block in range(blocks):
        out[block : block + count] += parts[:, block]
    return out.reshape(-1) / 1.5
