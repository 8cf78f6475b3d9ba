/** One packet of the agent's voice, decoded by itself. */
export interface SentPacket {
  /** Of its first sample; 48 ticks a millisecond. */
  readonly rtpTimestamp: number;
  /** When it reached the page, ms on the recording's clock. */
  readonly receivedMs: number;
  /** 48 kHz, in [-1, 1]. */
  readonly samples: Float32Array;
}

/** Packets that follow each other without a gap: what the agent said in one go, as it was sent. */
export interface Spurt {
  readonly receivedMs: number;
  readonly samples: Float32Array;
}

const TICKS = 2 ** 32;
/** A later packet than this is another spurt; a packet that was lost is silence within one. */
const GAP_SAMPLES = 4_800;

/** Puts packets in the order of their RTP times, and cuts them where nothing was sent. */
export function toSpurts(packets: readonly SentPacket[]): Spurt[] {
  const placed: { at: number; packet: SentPacket }[] = [];
  let at = 0;
  let before: number | undefined;
  for (const packet of packets) {
    // The 32 bits come round; the distance of neighbours never is half of it.
    at += before === undefined ? 0 : (packet.rtpTimestamp - before) | 0;
    before = packet.rtpTimestamp % TICKS;
    placed.push({ at, packet });
  }
  placed.sort((a, b) => a.at - b.at);
  const groups: (typeof placed)[] = [];
  let end = -Infinity;
  for (const one of placed) {
    if (one.at - end > GAP_SAMPLES) groups.push([]);
    groups.at(-1)!.push(one);
    end = Math.max(end, one.at + one.packet.samples.length);
  }
  return groups.map(join);
}

function join(group: readonly { readonly at: number; readonly packet: SentPacket }[]): Spurt {
  const [first] = group;
  const last = group.at(-1)!;
  const samples = new Float32Array(last.at + last.packet.samples.length - first!.at);
  for (const { at, packet } of group) samples.set(packet.samples, at - first!.at);
  return { receivedMs: first!.packet.receivedMs, samples };
}

/** Correlation is done at this rate, which keeps what tells one moment of speech from another. */
const MATCH_HZ = 12_000;
/** Less like each other than this, and it is not known to be the same sound. */
const LIKENESS = 0.75;

/**
 * Where in `content` the sound of `heard` ends, in ms from its start; undefined where it is not in there.
 * @param heard   the last moments of what was played, 48 kHz
 * @param content what was sent, 48 kHz
 * @param aboutMs where it is expected to end
 * @param withinMs how far from there it may
 */
export function locateEnd(
  heard: Float32Array,
  content: Float32Array,
  aboutMs: number,
  withinMs: number,
): number | undefined {
  const needle = decimate(heard);
  const hay = decimate(content);
  const perMs = MATCH_HZ / 1000;
  const needlePower = power(needle, 0, needle.length);
  let best = { at: -1, likeness: LIKENESS };
  const from = Math.max(0, Math.round((aboutMs - withinMs) * perMs) - needle.length);
  const to = Math.min(hay.length, Math.round((aboutMs + withinMs) * perMs)) - needle.length;
  for (let at = from; at <= to; at++) {
    let product = 0;
    for (let i = 0; i < needle.length; i++) product += needle[i]! * hay[at + i]!;
    if (product <= 0) continue;
    const likeness = product / Math.sqrt(needlePower * power(hay, at, needle.length));
    if (likeness > best.likeness) best = { at, likeness };
  }
  return best.at < 0 ? undefined : (best.at + needle.length) / perMs;
}

/** To a quarter of the rate, each sample the mean of four. */
function decimate(samples: Float32Array): Float32Array {
  const step = 48_000 / MATCH_HZ;
  const out = new Float32Array(Math.floor(samples.length / step));
  for (let i = 0; i < out.length; i++) {
    let sum = 0;
    for (let j = 0; j < step; j++) sum += samples[i * step + j]!;
    out[i] = sum / step;
  }
  return out;
}

function power(samples: Float32Array, from: number, length: number): number {
  let sum = 0;
  for (let i = from; i < from + length; i++) sum += samples[i]! ** 2;
  return sum;
}
