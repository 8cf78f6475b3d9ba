"""The network: a causal convolutional trunk at 25 Hz that hears, and a core at 5 Hz that decides.

Shapes: B sessions, M micro-turns, T = 5 M slots, W words, d trunk width, c core width.
"""

import math
from dataclasses import dataclass

import torch
from torch import nn
from torch.nn import functional as F

from features import BANDS
from labels import SLOTS_PER_TURN
from melody import PITCHES
from vocabulary import ACT, FLOOR, PHONES, SAY, TYPED, UNKNOWN, WORDS, is_mark


@dataclass(frozen=True)
class Size:
    stem: int = 96
    width: int = 224
    blocks: int = 8
    kernel: int = 7
    context: int = 64
    """Of what is usual in a voice; 0 for a trunk that does not adapt to it."""
    context_from: int = 3
    """Blocks before it is taken."""
    core: int = 256
    melody: int = 96
    phrases: int = 192
    """What is looked for in typed words that follow one another; 0 for a core that reads the words of a micro-turn without their order."""
    form: int = 64
    """Of a typed word, as phrases have it."""
    heads: int = 4
    head_width: int = 32
    timed_heads: int = 2
    """Heads of attention whose values turn with their age: what they bring says how long ago it was."""
    windows: tuple[int, ...] = (128, 320, 64)
    """Micro-turns that each attention layer of the core looks back on, at most 64 s."""


SIZES = {"small": Size(), "large": Size(stem=128, width=320, blocks=12, kernel=9, core=384, heads=6, windows=(128, 128, 320, 320, 64))}


class Norm(nn.LayerNorm):
    """Layer norm in full precision, whatever autocast says."""

    def forward(self, x):
        return super().forward(x.float())


class FullGRU(nn.GRU):
    """A GRU in full precision: its state is carried for hours."""

    def forward(self, x):
        with torch.autocast(x.device.type, enabled=False):
            return super().forward(x.float())[0]


class Stem(nn.Module):
    """Log-mel of microphone and reference [B, 4 T, 2 BANDS] to [B, T, d]: two strided causal convolutions."""

    KERNEL, STRIDE = 6, 2

    def __init__(self, size: Size):
        super().__init__()
        self.first = nn.Conv1d(2 * BANDS, size.stem, self.KERNEL, self.STRIDE)
        self.second = nn.Conv1d(size.stem, size.width, self.KERNEL, self.STRIDE)
        self.norm = Norm(size.width)

    def forward(self, mel):
        x = F.gelu(self.first(F.pad(mel.transpose(1, 2), (self.KERNEL - self.STRIDE, 0))))
        return self.norm(self.second(F.pad(x, (self.KERNEL - self.STRIDE, 0))).transpose(1, 2))


class Context(nn.Module):
    """
    What is usual in the voice and the room so far: a gated mean of features [B, T, d], which fades with a time constant of ten seconds, to
    a scale and a shift for each of `blocks` blocks, [B, T, 2 d], at first nothing.

    A block reaches back 1.9 s at most. That a vowel is darker here than elsewhere is known only after some words, and is then true of all of them.
    """

    FADING_SLOTS = 250
    FADE = 1 - 1 / FADING_SLOTS
    LEAST = 1.0
    """Of the weights that a mean is divided by: of little sound little is known."""

    def __init__(self, size: Size):
        super().__init__()
        self.norm = Norm(size.width)
        self.gate, self.value = nn.Linear(size.width, 1), nn.Linear(size.width, size.context)
        self.mix = nn.Linear(size.context, size.context)
        self.tones = nn.ModuleList(nn.Linear(size.context, 2 * size.width) for _ in range(size.blocks - size.context_from))
        for tone in self.tones:
            nn.init.zeros_(tone.weight)
            nn.init.zeros_(tone.bias)

    def forward(self, x):
        weighed = self.weigh(x)
        age = torch.arange(x.shape[1], device=x.device)
        age = age[:, None] - age[None]
        fading = (self.FADE ** age.clamp(min=0).float()) * (age >= 0)
        with torch.autocast(x.device.type, enabled=False):
            sums = fading @ weighed
        return self.tell(sums)

    def weigh(self, x):
        """What each slot adds: [B, T, context + 1], the last of it its weight."""
        y = self.norm(x)
        gate = torch.sigmoid(self.gate(y).float())
        return torch.cat([self.value(y).float() * gate, gate], dim=-1)

    def tell(self, sums):
        """Sums that fade, [B, T, context + 1], to what each block is told."""
        usual = F.gelu(self.mix(sums[..., :-1] / (sums[..., -1:] + self.LEAST)))
        return [tone(usual) for tone in self.tones]


class ConvBlock(nn.Module):
    """Depthwise causal convolution, then a two-layer perceptron, which may be told what is usual; residual."""

    def __init__(self, width: int, kernel: int):
        super().__init__()
        self.kernel = kernel
        self.depthwise = nn.Conv1d(width, width, kernel, groups=width)
        self.norm = Norm(width)
        self.widen, self.narrow = nn.Linear(width, 2 * width), nn.Linear(2 * width, width)
        nn.init.zeros_(self.narrow.bias)
        self.narrow.weight.data *= 0.3

    def forward(self, x, tone=None):
        y = self.depthwise(F.pad(x.transpose(1, 2), (self.kernel - 1, 0))).transpose(1, 2)
        return x + self.think(y, tone)

    def think(self, y, tone):
        y = self.norm(y)
        if tone is not None:
            scale, shift = tone.chunk(2, dim=-1)
            y = y * (1 + scale) + shift
        return self.narrow(F.gelu(self.widen(y)))


class Trunk(nn.Module):
    """Hears: [B, 4 T, 2 BANDS] to features [B, T, d], word logits [B, T, W] and, for training, phone logits."""

    def __init__(self, size: Size):
        super().__init__()
        self.stem = Stem(size)
        self.blocks = nn.ModuleList(ConvBlock(size.width, size.kernel) for _ in range(size.blocks))
        self.untold = size.context_from if size.context else size.blocks
        self.context = Context(size) if size.context else None
        self.norm = Norm(size.width)
        self.words = nn.Linear(size.width, len(WORDS))
        self.phones = nn.Linear(size.width, len(PHONES))

    def forward(self, mel):
        x, tones = self.stem(mel), []
        for index, block in enumerate(self.blocks):
            if index == self.untold:
                tones = self.context(x)
            x = block(x, tones[index - self.untold] if tones else None)
            if index == len(self.blocks) // 2 - 1:
                phones = self.phones(x)
        hidden = self.norm(x)
        return hidden, self.words(hidden), phones


def rotation(positions: torch.Tensor, head_width: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Cosines and sines, each [positions, head_width / 2]: only differences of positions matter to attention."""
    angles = positions[:, None] * torch.exp(
        -math.log(10_000) * torch.arange(0, head_width, 2, device=positions.device) / head_width
    )
    return angles.cos(), angles.sin()


def rotate(x: torch.Tensor, cos: torch.Tensor, sin: torch.Tensor) -> torch.Tensor:
    """Rotary embedding of [..., positions, head_width]; the halves of a head are its real and imaginary parts."""
    half = cos.shape[-1]
    real, imaginary = x[..., :half], x[..., half:]
    return torch.cat([real * cos - imaginary * sin, real * sin + imaginary * cos], dim=-1)


class Attention(nn.Module):
    """Causal attention over the last `window` micro-turns, then a perceptron; both residual, and at first nothing: a core may get one more."""

    def __init__(self, size: Size, window: int):
        super().__init__()
        self.heads, self.head_width, self.window = size.heads, size.head_width, window
        self.timed = size.timed_heads
        inner = size.heads * size.head_width
        self.norm, self.past_norm = Norm(size.core), Norm(size.core)
        self.query, self.key, self.value = (nn.Linear(size.core, inner, bias=False) for _ in range(3))
        self.out = nn.Linear(inner, size.core)
        self.widen, self.narrow = nn.Linear(size.core, 2 * size.core), nn.Linear(2 * size.core, size.core)
        for last in (self.out, self.narrow):
            nn.init.zeros_(last.weight)
            nn.init.zeros_(last.bias)

    def split(self, x):
        """[B, M, inner] to [B, heads, M, head_width]."""
        return x.reshape(*x.shape[:2], self.heads, self.head_width).transpose(1, 2)

    def turn(self, x, cos, sin):
        """[B, heads, M, head_width] with the timed heads turned by their positions: forth, and back by minus `sin`."""
        return torch.cat([rotate(x[:, : self.timed], cos, sin), x[:, self.timed :]], dim=1)

    def forward(self, x):
        turns = x.shape[1]
        y = self.norm(x)
        positions = torch.arange(turns, device=x.device, dtype=torch.float32)
        cos, sin = rotation(positions, self.head_width)
        query, key = rotate(self.split(self.query(y)), cos, sin), rotate(self.split(self.key(y)), cos, sin)
        age = positions[:, None] - positions[None]
        scores = (query @ key.transpose(-1, -2)) / math.sqrt(self.head_width)
        scores = scores.float().masked_fill((age < 0) | (age >= self.window), -1e4)
        value = self.turn(self.split(self.value(y)).float(), cos, sin)
        mixed = self.turn(scores.softmax(-1) @ value, cos, -sin).transpose(1, 2)
        x = x + self.out(mixed.reshape(*x.shape[:2], -1))
        return x + self.narrow(F.gelu(self.widen(self.past_norm(x))))


class Melody(nn.Module):
    """Melody of this micro-turn and the one before it [B, T, PITCHES] to what the core is told of it [B, M, c]: at first nothing."""

    def __init__(self, size: Size):
        super().__init__()
        self.read = nn.Linear(2 * SLOTS_PER_TURN * PITCHES, size.melody)
        self.tell = nn.Linear(size.melody, size.core)
        nn.init.zeros_(self.tell.weight)
        nn.init.zeros_(self.tell.bias)

    def forward(self, melody):
        turns = melody.reshape(len(melody), -1, SLOTS_PER_TURN * PITCHES)
        before = F.pad(turns, (0, 0, 1, 0))[:, :-1]
        return self.tell(F.gelu(self.read(torch.cat([before, turns], dim=-1))))


class Typed(nn.Module):
    """
    What is typed in each micro-turn, word classes [B, M, K] and 0 for none, to what the core is told of it [B, M, c]: the sum of its words, and
    of the phrases of three that are found in it, at first nothing.

    Where nothing is typed, nothing is told; and what the runtime tells, which begins with a mark, is told as the sum of its words alone, as far
    as they may be heard, too. So whatever is learnt of messages, ages and drafts are read as they were.
    """

    PHRASE = 3

    def __init__(self, size: Size):
        super().__init__()
        self.words = nn.Embedding(len(WORDS), size.core, padding_idx=0)
        self.phrases = size.phrases
        if size.phrases:
            self.more = nn.Embedding(len(TYPED), size.core, padding_idx=0)
            nn.init.zeros_(self.more.weight)
            self.forms = nn.Embedding(len(TYPED), size.form, padding_idx=0)
            self.find = nn.Linear(self.PHRASE * size.form, size.phrases)
            self.mix = nn.Linear(size.phrases, size.phrases)
            self.tell = nn.Linear(size.phrases, size.core, bias=False)
            nn.init.zeros_(self.tell.weight)

    def forward(self, typed):
        turns = torch.arange(typed.shape[1], device=typed.device)
        begins = torch.where(is_mark(typed).any(-1), turns, -1).cummax(1)[0]
        starts = torch.where(F.pad(typed[:, :-1, -1], (1, 0)) == 0, turns, 0).cummax(1)[0]
        return self.read(typed, (begins >= starts).float().unsqueeze(-1))

    def read(self, typed, is_told):
        """@param typed [B, ..., K]; is_told [B, ..., 1], 1 where the runtime tells it, from a mark to the end of the last micro-turn that it fills"""
        summed = self.words(torch.where(typed < len(WORDS), typed, torch.full_like(typed, WORDS.index(UNKNOWN)))).sum(-2)
        return summed + (1 - is_told) * (self.more(typed).sum(-2) + self._found(typed)) if self.phrases else summed

    def _found(self, typed):
        forms, is_word = self.forms(typed), (typed > 0).unsqueeze(-1).float()
        nothing = 0 * forms[..., :1, :]
        phrases = torch.cat([torch.cat([nothing, forms[..., :-1, :]], -2), forms, torch.cat([forms[..., 1:, :], nothing], -2)], -1)
        found = (F.relu(self.find(phrases)) * is_word).amax(-2)
        return self.tell(F.gelu(self.mix(found)) * is_word.amax(-2))


class Core(nn.Module):
    """
    Decides, once per micro-turn.

    A GRU keeps what must outlive any window (counts, modes); attention with relative positions measures time.
    """

    def __init__(self, size: Size):
        super().__init__()
        self.hear = nn.Linear(SLOTS_PER_TURN * size.width, size.core)
        self.melody = Melody(size)
        self.read_words = nn.Linear(len(WORDS) - 1, size.core, bias=False)
        self.typed = Typed(size)
        self.own_word = nn.Embedding(len(SAY), size.core)
        self.playing = nn.Embedding(2, size.core)
        self.gru_norm, self.gru = Norm(size.core), FullGRU(size.core, size.core, batch_first=True)
        self.layers = nn.ModuleList(Attention(size, window) for window in size.windows)
        self.norm = Norm(size.core)
        self.floor, self.say, self.act = (nn.Linear(size.core, len(classes)) for classes in (FLOOR, SAY, ACT))

    def forward(self, hidden, melody, word_shares, own_word, play, typed):
        """
        @param hidden [B, T, d]; melody [B, T, PITCHES]
        @param word_shares [B, T, W] probabilities; own_word [B, M] the agent's word a micro-turn ago
        @param play [B, M] 0 or 1; typed [B, M, K] word classes, 0 for none
        @returns logits of floor, say and act, each [B, M, classes]
        """
        batch, slots, _ = hidden.shape
        turns = slots // SLOTS_PER_TURN
        read = word_shares[..., 1:].reshape(batch, turns, SLOTS_PER_TURN, -1).sum(2)
        x = (
            self.hear(hidden.reshape(batch, turns, -1))
            + self.melody(melody)
            + self.read_words(read)
            + self.own_word(own_word)
            + self.playing(play)
        )
        x = x + self.typed(typed)
        x = x + self.gru(self.gru_norm(x))
        for layer in self.layers:
            x = layer(x)
        x = self.norm(x)
        return self.floor(x), self.say(x), self.act(x)


class Nano(nn.Module):
    """Trunk and core together."""

    def __init__(self, size: Size):
        super().__init__()
        self.size = size
        self.trunk, self.core = Trunk(size), Core(size)

    def forward(self, mel, melody, own_word, play, typed):
        """@returns word logits [B, T, W], phone logits [B, T, phones], floor, say and act logits [B, M, classes]"""
        hidden, words, phones = self.trunk(mel)
        return (words, phones, *self.core(hidden, melody, words.detach().softmax(-1), own_word, play, typed))
