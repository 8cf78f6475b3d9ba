import unittest

import torch

from export import Step, inputs
from features import log_mel
from melody import melody
from model import Nano, Size

TINY = Size(stem=8, width=16, blocks=3, kernel=3, context=4, context_from=1, core=16, melody=8, heads=2, head_width=4, timed_heads=1, windows=(4, 6))


class StepGraph(unittest.TestCase):
    """The step, fed back to itself, is the network over the whole session."""

    def setUp(self):
        torch.manual_seed(0)
        self.model = Nano(TINY).eval()
        torch.nn.init.normal_(self.model.core.melody.tell.weight)
        for tone in self.model.trunk.context.tones:
            torch.nn.init.normal_(tone.weight)
        for layer in self.model.core.layers:
            torch.nn.init.normal_(layer.out.weight)
            torch.nn.init.normal_(layer.narrow.weight)
        self.step = Step(self.model).eval()
        self.sound = torch.randn(2, 2, 12 * 3_200) * 0.05
        self.play = (torch.rand(2, 12) > 0.5).long()
        self.typed = torch.randint(1, 50, (2, 12, 8)) * (torch.rand(2, 12, 1) > 0.7)

    def run_steps(self, reset_at=None):
        states, outputs, said = self.step.states(2), [], []
        with torch.no_grad():
            for turn in range(12):
                samples = slice(turn * 3_200, (turn + 1) * 3_200)
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
        whole = (words.reshape(2, 12, 5, -1), floor, say, act)
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


if __name__ == "__main__":
    unittest.main()
