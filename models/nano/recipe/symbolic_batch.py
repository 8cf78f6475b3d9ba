#!/usr/bin/env python3
"""Turns a step graph that was exported for one batch size into one for any batch size.

An exporter that traces with B rows writes B into the shape constants of Reshape nodes and into the first dimension
of every input and output. This replaces both, so that one file serves every lane size: the runtime fixes the
symbolic dimension when it loads the graph (ONNX Runtime: `freeDimensionOverrides`), and the shapes fold to the
same constants as before. No weight and no other node is touched.

    python3 symbolic_batch.py step-b1.onnx step.onnx [--dim B]

Needs `onnx` (Debian: python3-onnx).
"""

import argparse
import sys

import numpy as np
import onnx
from onnx import numpy_helper


def batch_of(graph: onnx.GraphProto) -> int:
    """The batch size that the graph was exported with: the first dimension that all inputs and outputs share."""
    sizes = {value.type.tensor_type.shape.dim[0].dim_value for value in [*graph.input, *graph.output]}
    if len(sizes) != 1 or 0 in sizes:
        raise ValueError(f"inputs and outputs must share one fixed first dimension, got {sorted(sizes)}")
    return sizes.pop()


def any_batch(shape: list[int], batch: int) -> list[int]:
    """
    The shape that reshapes every batch size as `shape` did its own.

    `-1` stands for the batch where the rest of the shape is known. Where `-1` is taken already, `0` copies the first
    dimension of the input, which Reshape does unless `allowzero` is set: the caller checks that.
    """
    if not shape or shape[0] != batch:
        raise ValueError(f"a shape must start with the batch size {batch}, got {shape}")
    rest = shape[1:]
    if 0 in rest:
        raise ValueError(f"a zero in {shape} copies a dimension by position: not handled")
    return [0 if -1 in rest else -1, *rest]


def symbolic_batch(model: onnx.ModelProto, dim: str) -> int:
    """Rewrites `model` in place; returns how many shape constants it changed."""
    graph = model.graph
    batch = batch_of(graph)
    constants = {node.output[0]: node for node in graph.node if node.op_type == "Constant"}
    readers: dict[str, list[str]] = {}
    for node in graph.node:
        for name in node.input:
            readers.setdefault(name, []).append(node.op_type)
        if node.op_type in ("Expand", "ConstantOfShape", "Tile", "Loop", "Scan", "If"):
            raise ValueError(f"{node.name}: {node.op_type} may hold a batch size where this script does not look")

    changed = 0
    for node in graph.node:
        if node.op_type != "Reshape":
            continue
        if any(attribute.name == "allowzero" and attribute.i != 0 for attribute in node.attribute):
            raise ValueError(f"{node.name}: allowzero is set, so 0 would mean an empty dimension")
        constant = constants.get(node.input[1])
        if constant is None or set(readers[node.input[1]]) != {"Reshape"}:
            raise ValueError(f"{node.name}: its shape is not a constant of its own")
        value = next(attribute for attribute in constant.attribute if attribute.name == "value")
        shape = any_batch(numpy_helper.to_array(value.t).tolist(), batch)
        value.t.CopyFrom(numpy_helper.from_array(np.array(shape, dtype=np.int64), value.t.name))
        changed += 1

    for value in [*graph.input, *graph.output]:
        value.type.tensor_type.shape.dim[0].dim_param = dim  # a oneof: this clears dim_value
    del graph.value_info[:]  # it may repeat the old batch size
    return changed


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("source")
    parser.add_argument("target")
    parser.add_argument("--dim", default="B", help="name of the batch dimension (default: B)")
    arguments = parser.parse_args()

    model = onnx.load(arguments.source)
    changed = symbolic_batch(model, arguments.dim)
    onnx.checker.check_model(model)
    # Inference sees the whole graph: a batch size that was left behind would meet the symbol and fail here.
    onnx.shape_inference.infer_shapes(model, check_type=True, strict_mode=True, data_prop=True)
    onnx.save(model, arguments.target)
    print(f"{arguments.target}: batch dimension '{arguments.dim}', {changed} shapes rewritten")
    return 0


if __name__ == "__main__":
    sys.exit(main())
