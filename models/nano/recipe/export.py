"""The step graph: one micro-turn of sound in, decisions out, everything between them inside.

The arithmetic is that of `model.Nano`, rewritten for one step: convolutions over kept inputs become Slice, Mul and Add or
MatMul, attention reads a window of kept keys and values, and the agent's last word is fed back as a one-hot vector. Only
operators that the WebGPU provider accepts are used: no loops, no recurrent operators, no scatter.
"""

import inspect
import math
import warnings
from pathlib import Path

import numpy as np
import onnx
import torch
from onnx import helper, numpy_helper
from torch import nn
from torch.nn import functional as F

import features
import melody
from features import BANDS, FRAME, HOP, OFFSET, SCALE, TAIL_SAMPLES
from labels import SLOTS_PER_TURN, TYPED_TOKENS
from melody import PITCHES
from model import Attention, Context, Nano, Stem, rotate, rotation
from symbolic_batch import symbolic_batch
from vocabulary import SAY, is_mark

TURN_SAMPLES = 3_200
TURN_FRAMES = TURN_SAMPLES // HOP
STEM_KEPT = Stem.KERNEL - Stem.STRIDE
STREAMS = 2  # microphone and reference
OPSET = 17
HALVED_FROM = 8_192
"""Matrices of so many values and more are stored in half precision, and widened when the graph is loaded."""
FRONT_END = {"dft", "filters"}
"""Constants that stay as they are, since the sound that was trained on went through them."""
KEPT_SAMPLES = max(TAIL_SAMPLES, melody.TAIL_SAMPLES)
NO_KEY = -1e4


def normalised(norm: nn.LayerNorm, x):
    return F.layer_norm(x, norm.normalized_shape, norm.weight, norm.bias)


def strided(conv: nn.Conv1d, x):
    """A convolution of kernel 6 and stride 2 as one MatMul: [B, 2 n + 4, C] to [B, n, out]."""
    batch, length, channels = x.shape
    steps = (length - STEM_KEPT) // Stem.STRIDE
    pairs = x.reshape(batch, length // 2, 2 * channels)
    windows = torch.cat([pairs[:, offset : offset + steps] for offset in range(Stem.KERNEL // 2)], dim=2)
    return windows @ conv.weight.permute(2, 1, 0).reshape(-1, conv.weight.shape[0]) + conv.bias


class Step(nn.Module):
    """
    One micro-turn. Zero states are the start of a session.

    Inputs: pcm, ref [B, 3200]; play, reset [B, 1]; text [B, 8] i32 (0 for none); then the states of `states`.
    Outputs: probabilities words [B, 5, W], floor, say, act [B, classes]; then the next states, in the same order.
    """

    STATES = ("sound", "mel", "stem", "trunk", "context", "melody", "gru", "keys", "values", "filled", "told", "word")

    def __init__(self, model: Nano):
        super().__init__()
        self.model = model
        self.register_buffer("dft", torch.from_numpy(features.dft_matrix()))
        self.register_buffer("pitch_dft", torch.from_numpy(melody.dft_matrix()))
        self.register_buffer("pitch_lags", torch.from_numpy(melody.lag_matrix()))
        self.register_buffer("filters", torch.from_numpy(features.mel_filters()))
        gru = model.core.gru
        self.register_buffer("gru_in", gru.weight_ih_l0.detach().t().contiguous())
        self.register_buffer("gru_past", gru.weight_hh_l0.detach().t().contiguous())
        cos, sin = rotation(torch.arange(max(model.size.windows), dtype=torch.float32), model.size.head_width)
        self.register_buffer("cos", cos)
        self.register_buffer("sin", sin)
        slots = torch.arange(SLOTS_PER_TURN, dtype=torch.float32)
        self.register_buffer("fading", torch.tril(Context.FADE ** (slots[:, None] - slots[None]).clamp(min=0)))
        self.register_buffer("faded", Context.FADE ** (slots[:, None] + 1))

    def state_shapes(self) -> dict[str, tuple[int, ...]]:
        """Shapes without the batch."""
        size = self.model.size
        inner, kept = size.heads * size.head_width, [window - 1 for window in size.windows]
        return {
            "sound": (STREAMS * KEPT_SAMPLES,),
            "mel": (STEM_KEPT, STREAMS * BANDS),
            "stem": (STEM_KEPT, size.stem),
            "trunk": (size.blocks * (size.kernel - 1), size.width),
            "context": (size.context + 1,),
            "melody": (SLOTS_PER_TURN * PITCHES,),
            "gru": (size.core,),
            "keys": (sum(kept), inner),
            "values": (sum(kept), inner),
            "filled": (max(kept),),
            "told": (1,),
            "word": (len(SAY),),
        }

    def states(self, batch: int) -> list[torch.Tensor]:
        return [torch.zeros(batch, *self.state_shapes()[name]) for name in self.STATES]

    def forward(self, pcm, ref, play, text, reset, *states):
        keep = 1 - reset
        sound, mel, stem, trunk, context, past_melody, gru, keys, values, filled, told, word = (
            state * (keep if state.dim() == 2 else keep.unsqueeze(2)) for state in states
        )
        frames, next_melody, next_sound = self._front_end(pcm, ref, sound)
        hidden, next_mel, next_stem, next_trunk, next_context = self._trunk(frames, mel, stem, trunk, context)
        words = self.model.trunk.words(hidden).softmax(-1)
        is_told = torch.maximum(is_mark(text).float().amax(1, keepdim=True), told)
        x = self._gather(hidden, words, word, play, text, is_told) + self._melody(next_melody, past_melody)
        next_gru = self._gru(normalised(self.model.core.gru_norm, x), gru)
        x = x + next_gru
        next_filled = torch.cat([filled, keep * 0 + 1], dim=1)
        x, next_keys, next_values = self._attend(x, keys, values, (next_filled - 1) * -NO_KEY)
        x = normalised(self.model.core.norm, x)
        core = self.model.core
        say = core.say(x)
        next_word = (say >= say.max(1, keepdim=True)[0]).float()
        return (
            words,
            core.floor(x).softmax(-1),
            say.softmax(-1),
            core.act(x).softmax(-1),
            next_sound,
            next_mel,
            next_stem,
            next_trunk,
            next_context,
            next_melody,
            next_gru,
            next_keys,
            next_values,
            next_filled[:, 1:],
            is_told * (text[:, -1:] > 0).float(),
            next_word,
        )

    def _front_end(self, pcm, ref, kept):
        """Sound to log-mel [B, 20, 2 BANDS] and melody [B, 5 PITCHES]: frame i of log-mel is hops i and i + 1 and the first half of hop i + 2."""
        mels, wholes = [], []
        for index, stream in enumerate((pcm, ref)):
            whole = torch.cat([kept[:, index * KEPT_SAMPLES : (index + 1) * KEPT_SAMPLES], stream], dim=1)
            wholes.append(whole)
            sound = whole[:, KEPT_SAMPLES - TAIL_SAMPLES :]
            batch, hops = sound.shape[0], lambda start: sound[:, start : start + TURN_SAMPLES].reshape(
                sound.shape[0], TURN_FRAMES, HOP
            )
            rest = FRAME - 2 * HOP
            last = torch.cat([sound[:, 2 * HOP :], sound[:, : HOP - rest]], dim=1).reshape(batch, TURN_FRAMES, HOP)[
                :, :, :rest
            ]
            spectrum = torch.cat([hops(0), hops(HOP), last], dim=2) @ self.dft
            bins = self.filters.shape[0]
            power = spectrum[:, :, :bins] * spectrum[:, :, :bins] + spectrum[:, :, bins:] * spectrum[:, :, bins:]
            mels.append((torch.log(power @ self.filters + features.FLOOR_POWER) + OFFSET) * SCALE)
        microphone = wholes[0][:, KEPT_SAMPLES - melody.TAIL_SAMPLES :]
        next_sound = torch.cat([whole[:, TURN_SAMPLES:] for whole in wholes], dim=1)
        return torch.cat(mels, dim=2), self._pitches(microphone), next_sound

    def _pitches(self, sound):
        """The autocorrelation of each slot's spectrum, [B, 5 PITCHES]: a frame is its slot and what came before it."""
        slot, bins = melody.SLOT_SAMPLES, len(melody.BINS)
        frames = torch.stack([sound[:, index * slot : index * slot + melody.FRAME] for index in range(SLOTS_PER_TURN)], 1)
        spectrum = frames @ self.pitch_dft
        power = spectrum[:, :, :bins] * spectrum[:, :, :bins] + spectrum[:, :, bins:] * spectrum[:, :, bins:]
        magnitude = torch.sqrt(power + melody.FLOOR_POWER)
        lags = magnitude @ self.pitch_lags / magnitude.sum(2, keepdim=True)
        return lags.reshape(lags.shape[0], -1)

    def _melody(self, now, past):
        layer = self.model.core.melody
        return layer.tell(F.gelu(layer.read(torch.cat([past, now], dim=1))))

    def _trunk(self, frames, mel, stem, kept, context):
        trunk, tones = self.model.trunk, []
        mel = torch.cat([mel, frames], dim=1)
        x = torch.cat([stem, F.gelu(strided(trunk.stem.first, mel))], dim=1)
        next_mel, next_stem = mel[:, TURN_FRAMES:], x[:, TURN_FRAMES // 2 :]
        x = normalised(trunk.stem.norm, strided(trunk.stem.second, x))
        rows, nexts = self.model.size.kernel - 1, []
        for index, block in enumerate(trunk.blocks):
            if index == trunk.untold:
                sums = self.faded * context.unsqueeze(1) + self.fading @ trunk.context.weigh(x)
                context, tones = sums[:, -1], trunk.context.tell(sums)
            past = torch.cat([kept[:, index * rows : (index + 1) * rows], x], dim=1)
            nexts.append(past[:, SLOTS_PER_TURN:])
            y = block.depthwise.bias
            for tap in range(block.kernel):
                y = y + past[:, tap : tap + SLOTS_PER_TURN] * block.depthwise.weight[:, 0, tap]
            x = x + block.think(y, tones[index - trunk.untold] if tones else None)
        return normalised(trunk.norm, x), next_mel, next_stem, torch.cat(nexts, dim=1), context

    def _gather(self, hidden, words, word, play, text, is_told):
        core = self.model.core
        silent, playing = core.own_word.weight[0], core.playing.weight
        spoken = word @ core.own_word.weight + (1 - word.sum(1, keepdim=True)) * silent  # no word yet: silence
        return (
            core.hear(hidden.reshape(hidden.shape[0], -1))
            + core.read_words(words[:, :, 1:].sum(1))
            + spoken
            + playing[0]
            + play * (playing[1] - playing[0])
            + core.typed.read(text, is_told)
        )

    def _gru(self, x, past):
        gru, width = self.model.core.gru, past.shape[1]
        new, old = x @ self.gru_in + gru.bias_ih_l0, past @ self.gru_past + gru.bias_hh_l0
        reset = torch.sigmoid(new[:, :width] + old[:, :width])
        update = torch.sigmoid(new[:, width : 2 * width] + old[:, width : 2 * width])
        proposal = torch.tanh(new[:, 2 * width :] + reset * old[:, 2 * width :])
        return proposal + update * (past - proposal)

    def _attend(self, x, keys, values, empty):
        """`empty` [B, longest window]: 0 where a key is kept, NO_KEY where the session is younger than that."""
        start, next_keys, next_values = 0, [], []
        for layer in self.model.core.layers:
            y = normalised(layer.norm, x).unsqueeze(1)
            window = slice(start, start + layer.window - 1)
            start = window.stop
            key = torch.cat([keys[:, window], layer.key(y)], dim=1)
            value = torch.cat([values[:, window], layer.value(y)], dim=1)
            next_keys.append(key[:, 1:])
            next_values.append(value[:, 1:])
            x = self._mix(layer, x, layer.query(y), key, value, empty[:, -layer.window :])
        return x, torch.cat(next_keys, dim=1), torch.cat(next_values, dim=1)

    def _mix(self, layer: Attention, x, query, key, value, empty):
        cos, sin = self.cos[-layer.window :], self.sin[-layer.window :]
        query = rotate(layer.split(query), cos[-1:], sin[-1:])
        key = rotate(layer.split(key), cos, sin)
        scores = query @ key.transpose(-1, -2) / math.sqrt(layer.head_width) + empty.unsqueeze(1).unsqueeze(1)
        value = layer.turn(layer.split(value), cos, sin)
        mixed = layer.turn(scores.softmax(-1) @ value, cos[-1:], -sin[-1:]).transpose(1, 2)
        x = x + layer.out(mixed.reshape(x.shape[0], -1))
        return x + layer.narrow(F.gelu(layer.widen(normalised(layer.past_norm, x))))


def inputs(batch: int) -> list[torch.Tensor]:
    """Silent inputs of one micro-turn, in the graph's order."""
    return [
        torch.zeros(batch, TURN_SAMPLES),
        torch.zeros(batch, TURN_SAMPLES),
        torch.zeros(batch, 1),
        torch.zeros(batch, TYPED_TOKENS, dtype=torch.int32),
        torch.zeros(batch, 1),
    ]


def round_matrices(model: nn.Module) -> None:
    """Gives the weights of `model` the values that `halve` leaves of them in a file."""
    for weight in model.parameters():
        if weight.numel() >= HALVED_FROM:
            weight.data = weight.data.half().float()


def halve(graph: onnx.GraphProto) -> None:
    """Stores the matrices of `graph` in half precision. @throws ValueError if the front end's constants are not where they were"""
    if not FRONT_END <= {weights.name for weights in graph.initializer}:
        raise ValueError(f"the graph has no constants {FRONT_END}, which must not be rounded")
    for weights in graph.initializer:
        values = numpy_helper.to_array(weights)
        if values.dtype == np.float32 and values.size >= HALVED_FROM and weights.name not in FRONT_END:
            name, stored = weights.name, f"{weights.name}.half"
            weights.CopyFrom(numpy_helper.from_array(values.astype(np.float16), stored))
            graph.node.insert(0, helper.make_node("Cast", [stored], [name], to=onnx.TensorProto.FLOAT))


def export_graph(model: Nano, target: Path) -> Step:
    """
    Writes the step graph with a symbolic batch `B`; returns the module that it was traced from.

    Rounds the matrices that the file has in half precision, so that graph and network stay the same.
    """
    round_matrices(model)
    step = Step(model.eval()).eval()
    names_in = ["pcm", "ref", "play", "text", "reset", *(f"s_{name}" for name in Step.STATES)]
    names_out = ["words", "floor", "say", "act", *(f"n_{name}" for name in Step.STATES)]
    # Newer exporters trace differently by default; this graph was written for the one that all versions have.
    tracer = {"dynamo": False} if "dynamo" in inspect.signature(torch.onnx.export).parameters else {}
    with torch.no_grad(), warnings.catch_warnings():
        warnings.simplefilter("ignore", torch.jit.TracerWarning)
        torch.onnx.export(
            step,
            (*inputs(1), *step.states(1)),
            str(target),
            opset_version=OPSET,
            input_names=names_in,
            output_names=names_out,
            do_constant_folding=True,
            **tracer,
        )
    graph = onnx.load(str(target))
    symbolic_batch(graph, "B")
    halve(graph.graph)
    onnx.checker.check_model(graph)
    onnx.shape_inference.infer_shapes(graph, check_type=True, strict_mode=True, data_prop=True)
    onnx.save(graph, str(target))
    return step
