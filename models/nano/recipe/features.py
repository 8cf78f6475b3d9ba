"""Log-mel features: 25 ms frames every 10 ms, 40 bands. The exported graph computes the same from the same constants."""

import numpy as np
from scipy.fft import rfft

FEATURE_NAMES = ("mic", "ref", "melody")
"""Of a session: log-mel of both streams, and the melody of the microphone (`melody.py`)."""
RATE_HZ = 16_000
FRAME, HOP, FFT = 400, 160, 512
TAIL_SAMPLES = FRAME - HOP
"""Samples before the first hop that its frame needs: silence at the start of a session."""
BANDS = 40
LOW_HZ, HIGH_HZ = 60.0, 7_600.0
FLOOR_POWER, OFFSET, SCALE = 1e-5, 5.0, 0.25
WINDOW = np.hanning(FRAME).astype(np.float32)


def mel_filters() -> np.ndarray:
    """Triangular filters, [FFT // 2 + 1, BANDS] f32."""
    to_mel = lambda hz: 2_595 * np.log10(1 + hz / 700)
    edges = 700 * (10 ** (np.linspace(to_mel(LOW_HZ), to_mel(HIGH_HZ), BANDS + 2) / 2_595) - 1)
    hz = np.arange(FFT // 2 + 1)[:, None] * RATE_HZ / FFT
    rising = (hz - edges[:-2]) / (edges[1:-1] - edges[:-2])
    falling = (edges[2:] - hz) / (edges[2:] - edges[1:-1])
    return np.maximum(0, np.minimum(rising, falling)).astype(np.float32)


def dft_matrix() -> np.ndarray:
    """The windowed real DFT as one matrix: [FRAME, 2 * (FFT // 2 + 1)] f32, cosines then sines."""
    angle = 2 * np.pi * np.outer(np.arange(FRAME), np.arange(FFT // 2 + 1)) / FFT
    return (WINDOW[:, None] * np.concatenate([np.cos(angle), -np.sin(angle)], axis=1)).astype(np.float32)


_FILTERS = mel_filters()


def log_mel(pcm: np.ndarray) -> np.ndarray:
    """`pcm` [n] at 16 kHz, n a multiple of HOP, to [n / HOP, BANDS] f32, about -1.6 (silence) to 2.5."""
    padded = np.concatenate([np.zeros(TAIL_SAMPLES, np.float32), pcm])
    frames = np.lib.stride_tricks.sliding_window_view(padded, FRAME)[::HOP] * WINDOW
    spectrum = rfft(frames, FFT, axis=1)
    power = spectrum.real**2 + spectrum.imag**2
    return (np.log(power @ _FILTERS + FLOOR_POWER) + OFFSET) * SCALE
