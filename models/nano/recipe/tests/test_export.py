import json
import tempfile
import unittest
from pathlib import Path

import numpy as np
import torch

from bundle import GRAPH, write_manifest
from export import HALVED_FROM, Step, export_graph, inputs
from features import log_mel
from labels import TYPED_TOKENS
from melody import melody
from model import SIZES, Nano, Size
from verify import MismatchError, verify
from vocabulary import FIRST_MARK

TINY = Size(stem=8, width=16, blocks=3, kernel=3, context=4, context_from=1, core=16, melody=8, phrases=6, form=4, heads=2, head_width=4, timed_heads=1, windows=(4, 6))


TURNS = 12
SAMPLES = 3_200


def outspoken(size: Size, deviation: float = 1.0) -> Nano:
    """A network in which every part has a say: some begin as nothing."""
    torch.manual_seed(0)
    model = Nano(size).eval()
    late = [model.core.melody.tell, model.core.typed.tell, model.core.typed.more, *model.trunk.context.tones]
    for layer in model.core.layers:
        late += [layer.out, layer.narrow]
    for part in late:
        torch.nn.init.normal_(part.weight, std=deviation)
    return model


class StepGraph(unittest.TestCase):
    """The step, fed back to itself, is the network over the whole session."""

    def setUp(self):
        self.model = outspoken(TINY)
        self.step = Step(self.model).eval()
        self.sound = torch.randn(2, 2, TURNS * SAMPLES) * 0.05
        self.play = (torch.rand(2, TURNS) > 0.5).long()
        self.typed = torch.randint(1, 50, (2, TURNS, TYPED_TOKENS)) * (torch.rand(2, TURNS, 1) > 0.7)
        self.typed[:, 3:6] = torch.randint(1, 50, (2, 3, TYPED_TOKENS))
        self.typed[0, 3, 5] = FIRST_MARK  # and to the end of what follows at once

    def run_steps(self, reset_at=None):
        states, outputs, said = self.step.states(2), [], []
        with torch.no_grad():
            for turn in range(TURNS):
                samples = slice(turn * SAMPLES, (turn + 1) * SAMPLES)
                said.append(states[-1].argmax(-1))
                reset = torch.full((2, 1), 1.0 if turn == reset_at else 0.0)
                result = self.step(
                    self.sound[:, 0, samples],
                    self.sound[:, 1, samples],
                    self.play[:, turn : turn + 1].float(),
                    self.typed[:, turn].int(),
                    reset,
                    *states,
                )
                outputs.append(result[:4])
                states = list(result[4:])
        return outputs, torch.stack(said, 1)

    def test_steps_equal_the_network_over_the_whole_session(self):
        outputs, said = self.run_steps()
        mel = torch.stack(
            [torch.cat([torch.from_numpy(log_mel(stream.numpy())) for stream in session], -1) for session in self.sound]
        ).float()
        pitches = torch.stack([torch.from_numpy(melody(session[0].numpy())) for session in self.sound])
        with torch.no_grad():
            words, _, floor, say, act = self.model(mel, pitches, said, self.play, self.typed)
        whole = (words.reshape(2, TURNS, 5, -1), floor, say, act)
        for index, expected in enumerate(whole):
            actual = torch.stack([output[index] for output in outputs], 1)
            self.assertLess(float((actual - expected.softmax(-1)).abs().max()), 1e-5)

    def test_a_reset_row_is_a_fresh_session(self):
        outputs, _ = self.run_steps(reset_at=5)
        fresh = self.step(
            self.sound[:, 0, 16_000:19_200],
            self.sound[:, 1, 16_000:19_200],
            self.play[:, 5:6].float(),
            self.typed[:, 5].int(),
            torch.zeros(2, 1),
            *self.step.states(2),
        )
        for one, other in zip(outputs[5], fresh):
            self.assertTrue(torch.equal(one, other))

    def test_state_shapes_are_those_of_the_next_states(self):
        result = self.step(*inputs(1), *self.step.states(1))
        self.assertEqual([tuple(state.shape[1:]) for state in result[4:]], list(self.step.state_shapes().values()))


class LargeGraph(unittest.TestCase):
    """What is exported of the larger variant, in the runtime that serves bundles, is the network."""

    TURNS = 4
    THRESHOLDS = {"words": 0.5, "floor": {}, "say": 0, "act": 0.5, "acts": {}}

    def make_shard(self, folder: Path) -> Path:
        """Two sessions of noise in which something is typed."""
        folder.mkdir()
        random = np.random.default_rng(0)
        sound = random.integers(-3_000, 3_000, (2, 2, self.TURNS * SAMPLES)).astype(np.int16)
        np.save(folder / "sound.npy", sound)
        typed = np.zeros((2, self.TURNS, TYPED_TOKENS), np.int16)
        typed[:, 1, :3] = random.integers(1, 50, (2, 3))
        np.save(folder / "typed.npy", typed)
        for name, highest in (("play", 2), ("act", 1), ("say", 1), ("floor", 1)):
            np.save(folder / f"{name}.npy", random.integers(0, highest, (2, self.TURNS)).astype(np.uint8))
        (folder / "sessions.json").write_text(json.dumps([{"events": [], "words": []}] * 2))
        return folder

    def test_its_graph_agrees_with_it(self):
        with tempfile.TemporaryDirectory() as scratch:
            bundle, shard = Path(scratch) / "bundle", self.make_shard(Path(scratch) / "shard")
            bundle.mkdir()
            model = outspoken(SIZES["large"], 0.1)
            weights = sum(weight.numel() * (2 if weight.numel() >= HALVED_FROM else 4) for weight in model.parameters())
            step = export_graph(model, bundle / GRAPH)
            write_manifest(bundle, "0.0.0", step.state_shapes(), self.THRESHOLDS)
            differences = verify(model, bundle, shard)
            self.assertEqual(set(differences), {"words", "floor", "say", "act"})
            self.assertLess(max(differences.values()), 1e-4)
            self.assertLess((bundle / GRAPH).stat().st_size, weights + 2e6)  # the front end, and every weight once
            model.core.floor.bias.data += torch.arange(len(model.core.floor.bias))
            with self.assertRaises(MismatchError):
                verify(model, bundle, shard)


if __name__ == "__main__":
    unittest.main()
