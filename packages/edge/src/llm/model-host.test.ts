import { readdirSync, readFileSync } from 'node:fs';
import { getPriority } from 'node:os';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { monotonicClock } from '../clock.js';
import { bundledThread } from '../engine/fixtures/bundled-thread.js';
import { silentLog, type Log } from '../telemetry/log.js';
import { askModelContract, collect, modelServer, question, specOf, textOf } from './ask-model.contract.js';
import { LanguageModels } from './language-models.js';
import { ModelHost, type ModelHostOptions } from './model-host.js';
import type { ChatPart } from './types.js';

let thread: Awaited<ReturnType<typeof bundledThread>>;
beforeAll(async () => {
  thread = await bundledThread(new URL('./model-thread.ts', import.meta.url));
});
afterAll(() => thread.remove());

const hosts: ModelHost[] = [];
afterEach(async () => {
  for (const host of hosts.splice(0)) await host.close();
});
function open(more: Partial<ModelHostOptions> = {}): ModelHost {
  const host = new ModelHost({ log: silentLog, clock: monotonicClock, threadUrl: thread.url, ...more });
  hosts.push(host);
  return host;
}

/** A thread that does what the test says for each question. */
const scripted = (onAsk: string) =>
  new URL(
    `data:text/javascript,${encodeURIComponent(`
      import { parentPort } from 'node:worker_threads';
      const parcel = (id, ...parts) => parentPort.postMessage({ type: 'parcel', answers: [[id, parts]] });
      parentPort.on('message', (m) => {
        if (m.type === 'ping') parentPort.postMessage({ type: 'pong' });
        if (m.type === 'ask') { const { id } = m; ${onAsk} }
      });
      parentPort.postMessage({ type: 'ready' });
    `)}`,
  );
const end = `{ type: 'end', reason: 'stop', usage: {} }`;
const signal = () => new AbortController().signal;
const spec = specOf('http://127.0.0.1:9/v1');

askModelContract('a model that is asked on the thread', () => open().ask);

/** The niceness of each thread of this process (proc_pid_stat(5), field 19; its name, in brackets, may have spaces). */
const nicenesses = () =>
  readdirSync('/proc/self/task').map((tid) => {
    const stat = readFileSync(`/proc/self/task/${tid}/stat`, 'utf8');
    return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[16]);
  });

describe('the thread of the language models', () => {
  // Not where nothing can be behind it.
  it.runIf(process.platform === 'linux' && getPriority() < 19)(
    'runs behind the others, and they as before',
    async () => {
      const [own, count] = [getPriority(), nicenesses().length];
      expect(nicenesses().filter((one) => one === own)).toHaveLength(count);
      open().open();
      await expect.poll(() => nicenesses().filter((one) => one === Math.min(19, own + 5))).toHaveLength(1);
    },
  );

  it('fails what it was asked with a retryable error where it dies, and another takes its place', async () => {
    const dies = scripted(`
      if (m.ask.system === 'die') { parcel(id, { type: 'text', text: 'so' }); setTimeout(() => process.exit(3), 50); }
      if (m.ask.system === 'live') parcel(id, { type: 'text', text: 'well' }, ${end});
    `);
    const warnings: string[] = [];
    const log: Log = { ...silentLog, warn: (_, text) => warnings.push(text) };
    const host = open({ threadUrl: dies, log });
    const [first, waiting] = await Promise.all([
      collect(host.ask(spec, { ...question, system: 'die' }, signal())),
      collect(host.ask(spec, { ...question, system: 'wait' }, signal())),
    ]);
    expect(textOf(first.parts)).toBe('so');
    for (const { error } of [first, waiting]) expect(error).toMatchObject({ code: 'llm/unavailable', retryable: true });
    const again = await collect(host.ask(spec, { ...question, system: 'live' }, signal()));
    expect(textOf(again.parts)).toBe('well');
    expect(host.asked).toBe(0);
    expect(warnings).toEqual(['the thread of the language models died and is started again']);
  });

  it('is not started again where it dies too often, until a minute has passed', async () => {
    let nowMs = 0;
    const host = open({ threadUrl: scripted('process.exit(3)'), clock: { now: () => nowMs } });
    for (let i = 0; i < 4; i++) {
      const { error } = await collect(host.ask(spec, question, signal()));
      expect(error).toMatchObject({ message: expect.stringContaining('its thread died') as string });
    }
    const tooOften = { code: 'llm/unavailable', message: expect.stringContaining('died too often') as string };
    expect((await collect(host.ask(spec, question, signal()))).error).toMatchObject(tooOften);
    nowMs = 61_000;
    expect((await collect(host.ask(spec, question, signal()))).error).not.toMatchObject(tooOften);
  });

  it('is ended where it hangs while it has something to do', async () => {
    const host = open({ threadUrl: scripted('for (;;);'), pingMs: 20 });
    const { error } = await collect(host.ask(spec, question, signal()));
    expect(error).toMatchObject({ code: 'llm/unavailable' });
  });

  it('fails what is under way when it is closed, and nothing is asked after', async () => {
    const host = open({ threadUrl: scripted('') });
    const waiting = collect(host.ask(spec, question, signal()));
    await expect.poll(() => host.asked).toBe(1);
    await host.close();
    await host.close();
    expect((await waiting).error).toMatchObject({ code: 'llm/unavailable' });
    expect((await collect(host.ask(spec, question, signal()))).error).toMatchObject({ code: 'llm/unavailable' });
    expect(host.asked).toBe(0);
  });

  it('has its death made up for before the first word, and told of after it', async () => {
    const dies = scripted(`
      // The first question of each thread.
      if (id === 1) process.exit(3);
      if (id === 3) { parcel(id, { type: 'text', text: 'half' }); setTimeout(() => process.exit(3), 50); return; }
      parcel(id, { type: 'text', text: 'whole' }, ${end});
    `);
    const models = new LanguageModels({
      configs: { a: spec.config },
      ask: open({ threadUrl: dies }).ask,
      clock: monotonicClock,
      after: (ms, fn) => {
        const timer = setTimeout(fn, ms);
        return () => clearTimeout(timer);
      },
      log: silentLog,
      env: {},
      random: () => 0,
    });
    const stream = async () => {
      const parts: ChatPart[] = [];
      try {
        for await (const part of models.stream({ purpose: 'task', ...question, signal: signal() })) parts.push(part);
      } catch (error) {
        return { parts, error };
      }
      return { parts };
    };
    expect((await stream()).parts).toMatchObject([{ text: 'whole' }, { type: 'done' }]);
    expect(await stream()).toMatchObject({ parts: [{ text: 'half' }], error: { code: 'llm/unavailable' } });
  });

  it('reads a long answer in few parcels', async () => {
    const server = await modelServer({ chat: [{ text: Array.from({ length: 400 }, () => ' word') }] });
    const { parts } = await collect(open().ask(specOf(server.url), { ...question, maxOutputTokens: 1000 }, signal()));
    expect(textOf(parts)).toBe(' word'.repeat(400));
    // One piece of text for each parcel: far fewer than the tokens.
    expect(parts.length).toBeLessThan(200);
  });
});
