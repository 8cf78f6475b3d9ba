"""Muon: momentum whose matrices are orthogonalised, so that every direction of a layer moves equally far per step.

For the matrices inside the network; heads, embeddings, biases and norms are AdamW's. Updates have the size that AdamW's
have, so that both take the same learning rate.
"""

import torch
from torch import nn

from precision import fast_type

MOMENTUM = 0.95
STEPS = 5
QUINTIC = 3.4445, -4.7750, 2.0315
"""A Newton–Schulz iteration that brings singular values near 1 fast, and not exactly."""
ADAM_SIZE = 0.2
"""Root mean square of a typical AdamW update, over the learning rate."""
OUTER = {"words", "phones", "floor", "say", "act", "read_words"}
"""Layers that meet the vocabulary: rows of rare classes must not move as far as those of frequent ones."""


def hidden_matrices(module: nn.Module) -> dict[nn.Parameter, int]:
    """The parameters for Muon; each is so many matrices below each other (a GRU's three gates)."""
    matrices = {}
    for name, part in module.named_modules():
        if isinstance(part, nn.GRU):
            matrices |= {part.weight_ih_l0: 3, part.weight_hh_l0: 3}
        elif isinstance(part, nn.Linear) and name.rsplit(".", 1)[-1] not in OUTER:
            matrices[part.weight] = 1
        elif isinstance(part, nn.Conv1d) and part.groups == 1:
            matrices[part.weight] = 1
    return matrices


def orthogonal(matrix: torch.Tensor) -> torch.Tensor:
    """`matrix` [r, c] with its singular values near 1."""
    a, b, c = QUINTIC
    tall = matrix.shape[0] > matrix.shape[1]
    x = (matrix.t() if tall else matrix).to(fast_type(matrix.device.type))
    x = x / (x.norm() + 1e-7)
    for _ in range(STEPS):
        gram = x @ x.t()
        x = a * x + (b * gram + c * (gram @ gram)) @ x
    return (x.t() if tall else x).float()


class Muon(torch.optim.Optimizer):
    """@param matrices as `hidden_matrices` gives them"""

    def __init__(self, matrices: dict[nn.Parameter, int], rate: float, weight_decay: float):
        groups = [{"params": [parameter], "parts": parts} for parameter, parts in matrices.items()]
        super().__init__(groups, {"lr": rate, "weight_decay": weight_decay})

    @torch.no_grad()
    def step(self) -> None:
        for group in self.param_groups:
            for parameter in group["params"]:
                if parameter.grad is None:
                    continue
                kept = self.state[parameter].setdefault("momentum", torch.zeros_like(parameter))
                kept.lerp_(parameter.grad, 1 - MOMENTUM)
                ahead = parameter.grad.lerp(kept, MOMENTUM).flatten(1)
                update = torch.cat([orthogonal(part) for part in ahead.chunk(group["parts"])])
                size = ADAM_SIZE * max(update.shape[0] // group["parts"], update.shape[1]) ** 0.5
                parameter.mul_(1 - group["lr"] * group["weight_decay"])
                parameter.add_(update.view_as(parameter), alpha=-group["lr"] * size)
