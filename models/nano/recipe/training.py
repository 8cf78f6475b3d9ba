"""One training loop for both phases: a time budget, warm-up, plateau, long decay, and checkpoints to resume from."""

import hashlib
import signal
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Callable

import torch

from losses import total
from muon import Muon, hidden_matrices
from parallel import Workers

DECAY_SHARE = 0.45
FINAL_RATE = 0.25
"""Of the full rate at the end: what a decay to nothing would settle, the average of the weights settles better."""
AVERAGED_SHARE, AVERAGED_STEPS = 0.6, 5
"""The last share of the budget whose weights are averaged, and every how many steps they are taken."""
CLIP_NORM = 1.0
WEIGHT_DECAY = 0.02
REPORT_STEPS, SAVE_SECONDS = 25, 90
STOPPED = -1.0


@dataclass(frozen=True)
class Plan:
    minutes: float
    rate: float
    warm_up_steps: int = 60
    workers: int = 2
    seed: int = 6


def rate_factor(progress: float, step: int, warm_up_steps: int) -> float:
    """
    Warm-up, stable, decay: the share of the full learning rate at `progress` (0 to 1 of the time budget).

    The linear decay over the last 45 % is where most of the accuracy comes from.
    """
    decay = min(1.0, max(FINAL_RATE, (1 - progress) / DECAY_SHARE))
    return min(1.0, (step + 1) / warm_up_steps) * decay


def save(path: Path, content: dict) -> None:
    """Writes a checkpoint whole or not at all."""
    scratch = path.with_suffix(".part")
    torch.save(content, scratch)
    scratch.replace(path)


class Average:
    """
    The mean of a module's weights along the last stretch of its training.

    Averaged over 680 steps, the trunk understood Festival by .013 of F1 better than its last step did, and slt by .002: part of what the
    noise of the steps adds to the weights is of the training voices.
    """

    def __init__(self, module: torch.nn.Module, saved: dict | None = None):
        self._module = module
        self.count = saved["count"] if saved else 0
        self._mean = saved["mean"] if saved else {}

    @torch.no_grad()
    def take(self) -> None:
        self.count += 1
        for name, weight in self._module.state_dict().items():
            mean = self._mean.setdefault(name, torch.zeros_like(weight))
            mean += (weight - mean) / self.count

    def settle(self) -> None:
        """Puts the mean in place of the module's weights."""
        if self.count:
            self._module.load_state_dict(self._mean)

    def saved(self) -> dict:
        return {"count": self.count, "mean": self._mean}


def averaged(checkpoint: dict) -> dict[str, torch.Tensor]:
    """The weights to use of a checkpoint that `train` left."""
    if "blend" in checkpoint:
        return checkpoint["blend"]
    average = checkpoint.get("average")
    return average["mean"] if average and average["count"] else checkpoint["model"]


def digest_of(start: Path | None) -> str | None:
    """Names the step graph that a checkpoint was begun from; nothing, from scratch."""
    return None if start is None else hashlib.sha256(start.read_bytes()).hexdigest()


def is_warm(checkpoint: Path) -> bool:
    """Whether what is in a finished checkpoint was begun from weights."""
    return "blend" in torch.load(checkpoint, map_location="cpu")


def blend(path: Path, begun: dict[str, torch.Tensor]) -> None:
    """Makes the weights to use of a finished checkpoint half its own and half those that it was begun from."""
    saved = torch.load(path, map_location="cpu")
    save(path, {**saved, "blend": between(begun, averaged(saved), 0.5)})


def between(begun: dict[str, torch.Tensor], own: dict[str, torch.Tensor], share: float) -> dict[str, torch.Tensor]:
    """Weights of which `share` is `own` and the rest is of those that they were begun from."""
    return {name: weights.cpu().lerp(own[name].cpu(), share) for name, weights in begun.items()}


class Stopwatch:
    """Seconds of training so far; `STOPPED` once somebody asks this process to end."""

    def __init__(self, spent: float):
        self._spent, self._began, self._asked = spent, time.time(), False
        for kind in (signal.SIGTERM, signal.SIGINT):
            signal.signal(kind, self._on_signal)

    def _on_signal(self, *_) -> None:
        self._asked = True

    @property
    def seconds(self) -> float:
        return self._spent + time.time() - self._began

    def reading(self) -> float:
        return STOPPED if self._asked else self.seconds


def _optimisers(module: torch.nn.Module, parameters: list[torch.nn.Parameter], rate: float) -> list:
    """Muon for the matrices inside, AdamW for the rest."""
    matrices = hidden_matrices(module)
    rest = [parameter for parameter in parameters if parameter not in matrices]
    return [
        Muon(matrices, rate, WEIGHT_DECAY),
        torch.optim.AdamW(rest, lr=rate, betas=(0.9, 0.98), weight_decay=WEIGHT_DECAY),
    ]


def train(
    module: torch.nn.Module,
    losses_of: Callable[[], dict[str, torch.Tensor]],
    plan: Plan,
    checkpoint: Path,
    begun: str | None = None,
) -> None:
    """
    Trains `module` until the budget is spent, and leaves the average of its last weights in it; continues from `checkpoint` where
    there is one.

    SIGTERM and SIGINT end it early, with everything saved to go on from.
    @param begun what it was begun from, by `digest_of`
    @param losses_of draws a batch and returns its losses by name
    @throws SystemExit if it was ended early
    """
    parameters = [parameter for parameter in module.parameters() if parameter.requires_grad]
    optimisers = _optimisers(module, parameters, plan.rate)
    step, spent = 0, 0.0
    if checkpoint.exists():
        saved = torch.load(checkpoint, map_location=next(module.parameters()).device)
        module.load_state_dict(saved["model"])
        for optimiser, state in zip(optimisers, saved["optimisers"]):
            optimiser.load_state_dict(state)
        step, spent = saved["step"], saved["seconds"]
    # With a larger budget what was averaged at the end of the old one is far from the end.
    ending = spent >= plan.minutes * 60 * (1 - AVERAGED_SHARE)
    average = Average(module, saved.get("average") if checkpoint.exists() and ending else None)
    workers = Workers(plan.workers, parameters)
    torch.manual_seed(plan.seed * 1_000 + step * 10 + workers.rank)
    watch, saved_at, running = Stopwatch(spent), time.time(), {}
    keep = lambda: save(
        checkpoint,
        {
            "model": module.state_dict(),
            "average": average.saved(),
            "optimisers": [optimiser.state_dict() for optimiser in optimisers],
            "step": step,
            "seconds": watch.seconds,
            "begun": begun,
        },
    )

    while True:
        seconds = workers.agree(watch.reading())
        progress = seconds / (plan.minutes * 60)
        if seconds == STOPPED or progress >= 1:
            break
        for group in (group for optimiser in optimisers for group in optimiser.param_groups):
            group["lr"] = plan.rate * rate_factor(progress, step, plan.warm_up_steps)
        losses = losses_of()
        module.zero_grad(set_to_none=True)
        total(losses).backward()
        workers.average_gradients()
        torch.nn.utils.clip_grad_norm_(parameters, CLIP_NORM)
        for optimiser in optimisers:
            optimiser.step()
        step += 1
        if workers.rank == 0 and progress >= 1 - AVERAGED_SHARE and step % AVERAGED_STEPS == 0:
            average.take()
        for name, loss in losses.items():
            running[name] = 0.95 * running.get(name, loss.item()) + 0.05 * loss.item()
        if workers.rank == 0 and step % REPORT_STEPS == 0:
            print(
                f"step {step} {seconds:.0f} s {progress:.0%} "
                + " ".join(f"{name} {value:.4f}" for name, value in running.items()),
                flush=True,
            )
        if workers.rank == 0 and time.time() - saved_at > SAVE_SECONDS:
            keep()
            saved_at = time.time()

    workers.leave()
    keep()
    if seconds == STOPPED:
        raise SystemExit(
            f"stopped after {watch.seconds:.0f} s of {plan.minutes * 60:.0f}: run the stage again to go on"
        )
    average.settle()
