import { writeFile } from 'node:fs/promises';
import { TemporaryFolder } from '../test/support/temporary-folder.js';
import type { Benchmark } from './lib/benchmark.js';
import { MeasuredEdge } from './lib/measured-edge.js';
import { relayDelay } from './lib/relay-delay.js';
import { ScriptedLlm } from './lib/scripted-llm.js';
import { taskCost } from './lib/task-cost.js';

/**
 * What: what background tasks cost the conversation. How late every micro-turn is, with 50 streaming tasks and with none; and
 * from the moment that a result is there, with the floor free, to the first packet of the voice that says it.
 * How: a real edge; the tasks' answers come from a server of the OpenAI wire format in a process of its own, whose CPU is told
 * with each figure. 10 libwebrtc callers who talk have 5 tasks each, of 20 tokens a second, in half of the blocks (ABBA), and 5
 * results that came at once in the others; in both they are said. Lateness is from the end of a micro-turn to main's taking its
 * decision, of every one, by a probe. Before that, three silent callers ask one thing after the other, each long after the agent's
 * last word, and get their answers at once; the clock runs from the `task.completed` that the caller receives.
 * Against: the blocks without streams, same run; half a micro-turn, which is what a decision that is made on the grid is waited for.
 */
export const background: Benchmark = {
  name: 'background',
  about: 'what 50 streaming tasks cost the micro-turns; from a result to its voice',
  async run({ quick, note }) {
    await using llm = await ScriptedLlm.start();
    await using folder = await TemporaryFolder.create();
    const config = folder.file('microturn.yaml');
    await writeFile(
      config,
      JSON.stringify({
        llm: { models: { scripted: { provider: 'openai-compatible', baseUrl: llm.url, model: 'm' } } },
        // Noise asks nothing.
        background: { concurrent: 10, delegate: 'act' },
      }),
    );
    await using edge = await MeasuredEdge.start({ path: true, args: ['--config', config] });
    const relays = await relayDelay(edge, quick ? 2 : 15, note);
    const cost = await taskCost(
      edge,
      llm,
      quick ? { order: 'AB', blockMs: 3_000, note } : { order: 'ABBAABBAABBAABBA', blockMs: 10_000, note },
    );
    return [...cost, ...relays];
  },
};
