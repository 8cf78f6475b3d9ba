"""A bundle as a start: the weights inside a step graph, back as those of the network that it was exported from.

An export gives some weights other names and other layouts, so it is matched with an export of a network whose every
weight is told apart by its values. What the graph does not hold (the phone head, which serves training only) stays as it was
drawn. Classes that were added at the end of a group since begin as drawn, too; layers that the core got since, a context of the trunk, and phrases, as nothing.
"""

import tempfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import torch
from onnx import numpy_helper

from export import export_graph
from model import Nano, Size
from vocabulary import MARKS, WORDS

NEVER = -10.0
"""Bias of a word that is never heard."""
PLAYING = "core.playing.weight"


def weights_of(graph: Path, model: Nano) -> dict[str, torch.Tensor]:
    """
    The state of a `Nano` like `model` with the weights in `graph`.

    @throws ValueError if the graph is of another network
    """
    state = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    exported = onnx.load(str(graph)).graph
    places = _places_of(exported, model.size)
    if places is None:
        raise ValueError(f"{graph} has {len(exported.initializer)} tensors, which no graph of this network has")
    for place, values in zip(places, map(numpy_helper.to_array, exported.initializer)):
        if place is not None:
            name, back = place
            fill(state[name], back(torch.from_numpy(values.copy()), state[name]), name)
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


def _places_of(graph: onnx.GraphProto, size: Size) -> list | None:
    """
    For each tensor of an exported graph of the network of `size`, in order: whose it is, and how its layout is undone; `None` for constants.

    The network may have fewer layers in its core, no context or no phrases. @returns nothing where it has other parts yet
    """
    names = [tensor.name for tensor in graph.initializer]
    has = lambda part: any(name.startswith(f"model.{part}.") for name in names)
    layers = sum(has(f"core.layers.{index}") for index in range(len(size.windows)))
    if layers == 0:
        return None
    marked = _marked(
        replace(
            size,
            phrases=size.phrases if has("core.typed.forms") else 0,
            context=size.context if has("trunk.context") else 0,
            windows=size.windows[:layers],
        )
    )
    exported = _exported(marked)  # which rounds its weights
    if len(exported) != len(names):
        return None
    layouts = [layout for name, weight in marked.state_dict().items() for layout in _layouts(name, weight)]
    return [_place(torch.from_numpy(values.astype(np.float32)), layouts) for values in exported]


def _marked(size: Size) -> Nano:
    """A network of which no two weights are alike."""
    marked = Nano(size)
    with torch.no_grad():
        for parameter in marked.parameters():
            parameter.copy_(torch.rand_like(parameter))
    return marked


def _exported(model: Nano) -> list[np.ndarray]:
    with tempfile.TemporaryDirectory() as scratch:
        export_graph(model, Path(scratch) / "step.onnx")
        return [numpy_helper.to_array(tensor) for tensor in onnx.load(f"{scratch}/step.onnx").graph.initializer]


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
