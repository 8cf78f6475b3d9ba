"""The melody of a voice: how likely each pitch is, once per slot. The exported graph computes the same from the same constants.

The frames of log-mel are 25 ms long, and do not resolve the harmonics of a voice below some 150 Hz; whether a sentence is over
is told by its melody where its words might have ended. So a frame of 64 ms per slot becomes the autocorrelation of its
spectrum between 80 and 1,000 Hz, at lags from 2.5 to 16.7 ms: a peak where the pitch is. The root of the power flattens formants,
and division by the whole makes it the same for a quiet voice and a loud one.
"""

import numpy as np

from features import RATE_HZ
from labels import SLOT_SECONDS

SLOT_SAMPLES = round(SLOT_SECONDS * RATE_HZ)
FRAME = 1_024
TAIL_SAMPLES = FRAME - SLOT_SAMPLES
"""Samples before the first slot that its frame needs: silence at the start of a session."""
BINS = np.arange(5, 65)
"""Of a DFT over the frame: 78 to 1,000 Hz."""
PITCHES = 48
LOWEST_HZ, HIGHEST_HZ = 60.0, 400.0
FLOOR_POWER = 1e-5


def dft_matrix() -> np.ndarray:
    """The windowed DFT of `BINS` as one matrix: [FRAME, 2 * len(BINS)] f32, cosines then sines; rounded to the half precision that a bundle keeps it in."""
    angle = 2 * np.pi * np.outer(np.arange(FRAME), BINS) / FRAME
    matrix = np.hanning(FRAME)[:, None] * np.concatenate([np.cos(angle), -np.sin(angle)], axis=1)
    return matrix.astype(np.float16).astype(np.float32)


def lag_matrix() -> np.ndarray:
    """From the spectrum to its autocorrelation at the period of each pitch, low to high: [len(BINS), PITCHES] f32."""
    pitches = np.geomspace(LOWEST_HZ, HIGHEST_HZ, PITCHES)
    hz = BINS * RATE_HZ / FRAME
    return np.cos(2 * np.pi * hz[:, None] / pitches).astype(np.float32)


_DFT, _LAGS = dft_matrix(), lag_matrix()


def melody(pcm: np.ndarray) -> np.ndarray:
    """`pcm` [n] at 16 kHz, n a multiple of SLOT_SAMPLES, to [n / SLOT_SAMPLES, PITCHES] f32 in [-1, 1]."""
    padded = np.concatenate([np.zeros(TAIL_SAMPLES, np.float32), pcm]).astype(np.float32)
    frames = np.lib.stride_tricks.sliding_window_view(padded, FRAME)[::SLOT_SAMPLES]
    spectrum = frames @ _DFT
    real, imaginary = spectrum[:, : len(BINS)], spectrum[:, len(BINS) :]
    magnitude = np.sqrt(real * real + imaginary * imaginary + FLOOR_POWER)
    return magnitude @ _LAGS / magnitude.sum(1, keepdims=True)
