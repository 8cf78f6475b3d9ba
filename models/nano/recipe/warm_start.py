"""A bundle as a start: the weights inside a step graph, back as those of the network that it was exported from.

An export gives some weights other names and other layouts, so it is matched with an export of a network whose every
weight is told apart by its values. What the graph does not hold (the phone head, which serves training only) stays as it was
drawn. Classes that were added at the end of a group since begin as drawn, too; layers that the core got since, a context of the trunk, and phrases, as nothing.
A word that was not read is read as it was: as one that is not known.
"""

import tempfile
from dataclasses import replace
from itertools import product
from pathlib import Path

import numpy as np
import onnx
import torch
from onnx import numpy_helper

from export import export_graph
from model import Nano, Size
from vocabulary import MARKS, UNKNOWN, WORDS

NEVER = -10.0
"""Bias of a word that is never heard."""
PLAYING, TYPED_WORDS = "core.playing.weight", "core.typed.words.weight"


def weights_of(graph: Path, model: Nano) -> dict[str, torch.Tensor]:
    """
    The state of a `Nano` like `model` with the weights in `graph`.

    @throws ValueError if the graph is of another network
    """
    state = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    tensors = [numpy_helper.to_array(tensor) for tensor in onnx.load(str(graph)).graph.initializer]
    places = _places_of(tensors, model.size)
    if places is None:
        raise ValueError(f"{graph} has {len(tensors)} tensors, which no graph of this network has")
    for place, values in zip(places, tensors):
        if place is not None:
            name, back = place
            fill(state[name], back(torch.from_numpy(values.copy()), state[name]), name)
            if name == TYPED_WORDS:
                state[name][len(values) :] = state[name][WORDS.index(UNKNOWN)]
    state[PLAYING][1] += state[PLAYING][0]  # the graph has the difference
    hush_marks(state)
    return state


def hush_marks(state: dict[str, torch.Tensor]) -> None:
    """Marks are words that nobody says, whatever was drawn for those that are new."""
    with torch.no_grad():
        state["trunk.words.bias"][[WORDS.index(mark) for mark in MARKS]] = NEVER


def fill(target: torch.Tensor, values: torch.Tensor, name: str) -> None:
    """Copies `values` into `target`, which may have more classes than they know. @throws ValueError where it has fewer"""
    if values.dim() != target.dim() or any(have > room for have, room in zip(values.shape, target.shape)):
        raise ValueError(f"{name}: at most {tuple(target.shape)} was expected, got {tuple(values.shape)}")
    target[tuple(slice(size) for size in values.shape)] = values


def _places_of(tensors: list[np.ndarray], size: Size) -> list | None:
    """`_places` of the network of `size`, or of one that has fewer layers in its core, no context or no phrases, and as many tensors."""
    sizes = product(dict.fromkeys((size.phrases, 0)), dict.fromkeys((size.context, 0)), range(len(size.windows), 0, -1))
    for phrases, context, layers in sizes:
        places = _places(replace(size, phrases=phrases, context=context, windows=size.windows[:layers]))
        if len(places) == len(tensors):
            return places
    return None


def _places(size: Size) -> list:
    """For each tensor of an exported graph, in order: whose it is, and how its layout is undone; `None` for constants."""
    marked = Nano(size)
    with torch.no_grad():
        for parameter in marked.parameters():
            parameter.copy_(torch.rand_like(parameter))
    with tempfile.TemporaryDirectory() as scratch:
        export_graph(marked, Path(scratch) / "step.onnx")
        exported = [numpy_helper.to_array(tensor) for tensor in onnx.load(f"{scratch}/step.onnx").graph.initializer]
    layouts = [layout for name, weight in marked.state_dict().items() for layout in _layouts(name, weight)]
    return [_place(torch.from_numpy(values.astype(np.float32)), layouts) for values in exported]


def _place(values: torch.Tensor, layouts: list):
    for name, laid, back in layouts:
        if laid.shape == values.shape and torch.allclose(laid, values, atol=1e-6):
            return name, back
    return None


def _layouts(name: str, weight: torch.Tensor):
    """The forms that an export may give `weight`, each with the way back: values and the weight so far to the weight."""
    yield name, weight, lambda values, _: values
    if name == PLAYING:
        yield name, weight[0], lambda values, whole: torch.stack([values, whole[1]])
        yield name, weight[1] - weight[0], lambda values, whole: torch.stack([whole[0], values])
    elif weight.dim() == 2:
        yield name, weight.t(), lambda values, _: values.t()
    elif weight.dim() == 3 and weight.shape[1] == 1:
        for tap in range(weight.shape[2]):
            yield name, weight[:, 0, tap], lambda values, whole, tap=tap: _with_tap(whole, tap, values)
    elif weight.dim() == 3:
        out, into, kernel = weight.shape
        yield (
            name,
            weight.permute(2, 1, 0).reshape(-1, out),
            lambda values, _: values.reshape(kernel, into, out).permute(2, 1, 0),
        )


def _with_tap(whole: torch.Tensor, tap: int, values: torch.Tensor) -> torch.Tensor:
    changed = whole.clone()
    changed[:, 0, tap] = values
    return changed
