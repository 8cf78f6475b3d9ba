"""Cheap variation of features while training: vocal tract length, level, colour, masks."""

import torch
from torch.nn import functional as F

from features import BANDS

WARP = 0.18
LEVEL, TILT, RIPPLE = 0.12, 0.2, 0.08
COLOUR, LOWEST_COLOUR, KNOTS = 0.2, 0.4, 8
"""
Of a smooth curve over the bands, at each of its knots and at the lowest of them: what tells one voice from another for as long as it speaks.
The mean of a voice in the lowest bands is up to 0.7 from that of another.
"""
TRANSPOSED = 5
"""Pitches of the melody, 0.7 semitones each."""
STRETCH = 500
"""Frames that have the same masks of bands: 5 s. The first is shorter by chance, or a core could tell the time by them."""

BAND_MASK_CHANCE, WIDEST_BAND_MASK = 0.6, 6
LONGEST_TIME_MASK = 9
"""Frames that are hidden at most, once in a stretch."""


def augment(mic: torch.Tensor, ref: torch.Tensor) -> torch.Tensor:
    """
    [B, frames, BANDS] twice to [B, frames, 2 BANDS].

    Both are warped alike, so that the echo keeps its likeness to the reference; only the microphone is coloured and
    masked.
    """
    batch = len(mic)
    warp = _warp_matrix(batch, mic.device)
    mic, ref = mic @ warp, ref @ warp
    random = lambda *shape: torch.randn(*shape, device=mic.device)
    mic = (
        mic + random(batch, 1, 1) * LEVEL + random(batch, 1, 1) * TILT * torch.linspace(-1, 1, BANDS, device=mic.device)
    )
    mic = mic + random(batch, 1, BANDS) * RIPPLE + _colours(random(batch, 1, KNOTS))
    for row in mic:
        usual = row.mean()
        first = int(torch.randint(STRETCH, ()))
        for stretch in (row[:first], *row[first:].split(STRETCH)):
            _hide(stretch, usual)
    return torch.cat([mic, ref], dim=-1)


def _hide(stretch: torch.Tensor, usual: torch.Tensor) -> None:
    """Masks [frames, BANDS] in place, by what is usual in the session."""
    if torch.rand(()) < BAND_MASK_CHANCE:
        width = int(torch.randint(1, WIDEST_BAND_MASK + 1, ()))
        band = int(torch.randint(0, BANDS - width, ()))
        stretch[:, band : band + width] = usual
    length = int(torch.randint(1, LONGEST_TIME_MASK + 1, ()))
    start = int(torch.randint(0, max(1, len(stretch) - length), ()))
    stretch[start : start + length] = usual


def transpose(melody: torch.Tensor) -> torch.Tensor:
    """[B, T, PITCHES] as voices that are higher or lower have it, each by its own: what is above or below the range is as at its end."""
    batch, slots, pitches = melody.shape
    steps = torch.randint(-TRANSPOSED, TRANSPOSED + 1, (batch, 1), device=melody.device)
    source = (torch.arange(pitches, device=melody.device) + steps).clamp(0, pitches - 1)
    return melody.gather(2, source[:, None].expand(batch, slots, pitches))


def _colours(knots: torch.Tensor) -> torch.Tensor:
    """[B, 1, KNOTS] of a standard normal to [B, 1, BANDS]."""
    spread = torch.full((KNOTS,), COLOUR, device=knots.device)
    spread[0] = LOWEST_COLOUR
    return F.interpolate(knots * spread, BANDS, mode="linear", align_corners=True)


def _warp_matrix(batch: int, device) -> torch.Tensor:
    """Linear interpolation along the mel axis by a random factor per session: [B, BANDS, BANDS]."""
    factor = 1 + torch.empty(batch, 1, device=device).uniform_(-WARP, WARP)
    source = (torch.arange(BANDS, device=device) * factor).clamp(0, BANDS - 1)
    low = source.floor().long()
    high = (low + 1).clamp(max=BANDS - 1)
    share = source - low
    matrix = torch.zeros(batch, BANDS, BANDS, device=device)
    matrix.scatter_add_(1, low[:, None], (1 - share)[:, None])
    matrix.scatter_add_(1, high[:, None], share[:, None])
    return matrix
