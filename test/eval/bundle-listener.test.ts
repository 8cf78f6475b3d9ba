import { describe, expect, it } from 'vitest';
import { ScriptedModel } from '../../packages/edge/src/testing/scripted-model.js';
import { Streams, type Sound } from './bundle-listener.js';
import { SAMPLES_PER_TURN } from './test-sets.js';

const word = (text: string, endMs: number) => ({ text, endMs, confidence: 1 });

function sound(turns: number, typed: Record<number, string> = {}): Sound {
  const mic = new Int16Array(turns * SAMPLES_PER_TURN);
  return {
    mic,
    ref: mic,
    play: new Uint8Array(turns),
    typed: Array.from({ length: turns }, (_, turn) => typed[turn] ?? ''),
  };
}

describe('streams of an evaluation', () => {
  it('are told the ages of what they noted themselves, each its own, from one recording to the next', async () => {
    const ages: string[] = [];
    const read = [0, 0];
    const model: ScriptedModel = new ScriptedModel({
      script: ({ lease, index }) => {
        const told = model.perceived.filter((one) => one.lease === lease).map(({ perceived }) => perceived);
        for (const one of told.slice(read[lease])) {
          if (one.type === 'age') ages.push(`${lease}: ${one.text}, ${one.seconds}@${index}`);
        }
        read[lease] = told.length;
        if (lease === 0 && index === 5) return { words: [word('seconds', 1000)], acts: ['note'] };
        return lease === 1 && index === 12 ? { acts: ['note'] } : undefined;
      },
    });
    const streams = new Streams(model, 2, new Map([['<result>', 'result']]));
    // More than its tensor has room for goes on in the next micro-turn; it is one message.
    const typed = { 9: '<result>', 10: 'remind me in <result>', 11: 'a minute' };
    const first = await streams.hear([sound(70), sound(70, typed)]);
    await streams.hear([sound(60), sound(60)]);
    await model.close();
    expect(first.map((decisions) => decisions.length)).toEqual([70, 70]);
    expect(ages).toEqual([
      '0: seconds, 10@55',
      '1: remind me in a minute, 10@60',
      '0: seconds, 20@105',
      '1: remind me in a minute, 20@110',
    ]);
  });
});
