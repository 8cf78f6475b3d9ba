import { MicroturnError, decodeJson, parseClientMessage, parseServerMessage } from '@microturn/protocol';
import { parseManifest } from '../../packages/edge/src/engine/manifest.js';
import { OpusDecoder, OpusEncoder, opusPacketTicks } from '../../packages/edge/src/media/opus.js';
import { parseRtpPacket, writeRtpPacket } from '../../packages/edge/src/media/rtp-packet.js';
import { Uplink } from '../../packages/edge/src/media/uplink.js';
import type { Target } from './fuzzer.js';
import { mutateBytes, mutateJson } from './mutate.js';

const RATE_HZ = 16_000;
const TURN_SAMPLES = 3200;
const TURN_MS = 200;
/** What is said of a bad message goes back to its sender, and must not be all of it. */
const LONGEST_COMPLAINT = 400;

function assert(condition: boolean, what: string): void {
  if (!condition) throw new Error(what);
}

/** Text in, message or coded refusal out: both directions of the wire. */
const signaling: Target = {
  name: 'signaling',
  mutate: mutateJson,
  run(input) {
    const text = new TextDecoder().decode(input);
    for (const parse of [parseClientMessage, parseServerMessage]) {
      try {
        const message = parse(decodeJson(text));
        if (message === undefined) continue;
        // What was taken once is taken again, the same: nothing is half parsed.
        const again = parse(decodeJson(JSON.stringify(message)));
        assert(JSON.stringify(again) === JSON.stringify(message), 'a parsed message does not parse to itself');
      } catch (error) {
        if (!(error instanceof MicroturnError)) throw error;
        assert(/^protocol\/(malformed|too-large)$/.test(error.code), `an unexpected code: ${error.code}`);
        assert(error.message.length <= LONGEST_COMPLAINT, 'the complaint is long');
      }
    }
    assert(Object.keys(Object.prototype).length === 0, 'a prototype was changed');
  },
};

/** Packets, each with its length and the ms since the one before it in front, into a microphone's whole way to the model. */
const rtp: Target = {
  name: 'rtp',
  mutate: mutateBytes,
  run(input) {
    const uplink = new Uplink({ rateHz: RATE_HZ, turnSamples: TURN_SAMPLES, zeroMs: 0 });
    let atMs = 0;
    let turn = 0;
    for (let at = 0; at + 2 <= input.length; at += 2 + input[at]!) {
      const bytes = input.subarray(at + 2, at + 2 + input[at]!);
      for (atMs += input[at + 1]!; atMs >= (turn + 1) * TURN_MS; turn++) checkTurn(uplink, turn);
      const packet = parseRtpPacket(bytes);
      if (packet) {
        assert(packet.payload.length <= bytes.length, 'a payload longer than its packet');
        assert(packet.payloadType < 128 && packet.sequenceNumber < 2 ** 16, 'a field out of range');
        const again = parseRtpPacket(writeRtpPacket(packet));
        assert(JSON.stringify(again) === JSON.stringify(packet), 'a packet does not parse to itself');
      }
      uplink.push(bytes, atMs);
    }
    checkTurn(uplink, turn);
  },
};

function checkTurn(uplink: Uplink, index: number): void {
  const { pcm, lost } = uplink.cut(index);
  assert(pcm.length === TURN_SAMPLES, `a micro-turn of ${pcm.length} samples`);
  assert(lost >= 0 && lost <= 1, `${lost} of it lost`);
  assert(
    pcm.every((sample) => Math.abs(sample) <= 1),
    'a sample that is no sound',
  );
}

const decoder = new OpusDecoder(RATE_HZ);
const good = new OpusEncoder(RATE_HZ).encode(Float32Array.from({ length: 320 }, (_, i) => 0.5 * Math.sin(i / 6)));

/** One payload, then a good one: the damage ends with its own frame. */
const opus: Target = {
  name: 'opus',
  mutate: mutateBytes,
  run(input) {
    const ticks = opusPacketTicks(input);
    if (ticks !== undefined) assert(ticks > 0 && ticks <= 5760 && ticks % 120 === 0, `${ticks} ticks`);
    const pcm = decoder.decode(input);
    if (pcm) {
      assert(pcm.length === (ticks! * RATE_HZ) / 48_000, `${pcm.length} samples of ${ticks} ticks`);
      assert(
        pcm.every((sample) => Math.abs(sample) <= 1),
        'a sample that is no sound',
      );
    }
    assert(decoder.conceal(320).length === 320, 'concealed at another length');
    assert(decoder.decode(good)?.length === 320, 'the frame after it was not decoded');
  },
};

/** bundle.json: a manifest, or an error that names what is wrong. */
const manifest: Target = {
  name: 'manifest',
  mutate: mutateJson,
  run(input) {
    let value: unknown;
    try {
      value = JSON.parse(new TextDecoder().decode(input));
    } catch {
      return;
    }
    try {
      const parsed = parseManifest(value);
      assert(
        JSON.stringify(parseManifest(structuredClone(parsed))) === JSON.stringify(parsed),
        'a manifest does not parse to itself',
      );
    } catch (error) {
      // A refusal is a plain Error with a text for people; a TypeError or RangeError is the parser's own fault.
      if ((error as Error).constructor !== Error || (error as Error).message === '') throw error;
      if (/does not parse to itself/.test((error as Error).message)) throw error;
    }
    assert(Object.keys(Object.prototype).length === 0, 'a prototype was changed');
  },
};

export const targets: readonly Target[] = [signaling, rtp, opus, manifest];
