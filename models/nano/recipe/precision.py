"""Half precision where it is faster. A CPU without instructions for bfloat16 emulates them: there the trunk took 25 times as long with it."""

import time
from contextlib import nullcontext
from functools import lru_cache

import torch

ROUNDS, SIZE = 5, 256


def mixed(device: str):
    """The context to run a network in on `device`: its products in `fast_type`."""
    return torch.autocast(device, dtype=torch.bfloat16) if fast_type(device) == torch.bfloat16 else nullcontext()


def fast_type(device: str) -> torch.dtype:
    """bfloat16 where that is faster, and otherwise float32."""
    return torch.bfloat16 if device != "cpu" or _is_half_faster() else torch.float32


@lru_cache(maxsize=1)
def _is_half_faster() -> bool:
    """Measured once, with a product of matrices: what a CPU has and what a version of torch makes of it are two things."""
    whole = torch.randn(SIZE, SIZE)
    return _seconds(whole.bfloat16()) < _seconds(whole)


def _seconds(matrix: torch.Tensor) -> float:
    """The fastest of some rounds: other work on the machine makes the others slower."""
    rounds = []
    for _ in range(ROUNDS):
        started = time.perf_counter()
        matrix @ matrix
        rounds.append(time.perf_counter() - started)
    return min(rounds)
