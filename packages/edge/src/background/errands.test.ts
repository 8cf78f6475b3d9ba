import type { SessionEvent } from '@microturn/protocol';
import { describe, expect, it } from 'vitest';
import { DeskStage } from './fixtures/desk-stage.js';
import type { Tool } from './toolbox.js';

/** A tool whose calls a test ends. */
function slowTool(more: Partial<Tool> = {}) {
  const runs: { args: unknown; done: (output: unknown) => void; signal: AbortSignal }[] = [];
  const tool: Tool = {
    name: 'book_table',
    description: 'Books a table.',
    parameters: { type: 'object', properties: { people: { type: 'number' } }, required: ['people'] },
    run: (args: unknown, { signal }) => new Promise((done) => runs.push({ args, done, signal })),
    ...more,
  };
  return { tool, runs };
}

const typesOf = (events: readonly SessionEvent[]) => events.map(({ type }) => type).filter((type) => type.startsWith('task.')); // prettier-ignore
const call = { name: 'book_table', arguments: { people: 2 } };
const never = new AbortController().signal;

describe('a tool that an answer calls', () => {
  it('is a task that everybody sees, and of which nothing is said', async () => {
    const { tool, runs } = slowTool();
    const stage = new DeskStage({ tools: [tool] });
    expect(stage.desk.tools.list()).toMatchObject([{ name: 'book_table' }]);
    const result = stage.desk.tools.call(call, never);
    await stage.turn();
    expect(runs).toMatchObject([{ args: { people: 2 } }]);
    runs[0]!.done({ table: 7 });
    expect(await result).toBe('{"table":7}');
    for (let i = 0; i < 10; i++) await stage.turn();
    expect(stage.events.find(({ type }) => type === 'task.created')).toMatchObject({ origin: 'answer', title: 'book table' }); // prettier-ignore
    expect(typesOf(stage.events)).toEqual(['task.created', 'task.progress', 'task.completed', 'task.woven']);
    expect(stage.events.filter(({ type }) => type === 'response.started')).toEqual([]);
    expect(stage.provider.runs).toEqual([]);
  });

  it.each([true, false])('asks for leave where it changes something; the answer is %s', async (leave) => {
    const { tool, runs } = slowTool({ approval: true, run: () => 'booked' });
    const stage = new DeskStage({ tools: [tool] });
    const result = stage.desk.tools.call(call, never).catch((error: Error) => error.message);
    await stage.turn();
    const [question] = stage.of('task.question');
    expect(question).toMatchObject({ approval: { tool: 'book_table', arguments: { people: 2 } } });
    expect(runs).toEqual([]);
    stage.desk.answer(question!.taskId, leave, question!.questionId);
    await stage.turn();
    expect(await result).toMatch(leave ? /^booked$/ : /did not allow/);
    await stage.turns(20, 'silent');
    expect(stage.task().status).toBe(leave ? 'woven' : 'failed');
    expect(stage.heard.filter((text) => text !== question!.text)).toEqual([]);
  });

  it.each<[string, Partial<Tool>, object]>([
    ['refused with arguments that do not fit', {}, {}],
    ['told to have failed where it throws', { run: () => Promise.reject(new Error('closed')) }, { people: 2 }],
  ])('is %s; whoever called it says so, and nobody else', async (_what, more, args) => {
    const { tool } = slowTool(more);
    const stage = new DeskStage({ tools: [tool] });
    const failure = stage.desk.tools.call({ ...call, arguments: args }, never).catch((error: Error) => error);
    await stage.turns(20, 'silent');
    expect(await failure).toMatchObject({ code: 'tool/failed' });
    expect(stage.task().status).toBe('failed');
    expect(stage.heard).toEqual([]);
  });

  it('can be called off by the user, by the answer and with the session', async () => {
    const { tool, runs } = slowTool();
    const stage = new DeskStage({ tools: [tool] });
    const abort = new AbortController();
    const failures = [never, abort.signal, never].map((signal) =>
      stage.desk.tools.call(call, signal).catch((error: { code?: string }) => error.code),
    );
    await stage.turn();
    expect(runs).toHaveLength(3);
    const [first] = stage.desk.tasks;
    stage.desk.cancel(first!.id, 'client');
    expect(runs[0]!.signal.aborted).toBe(true);
    abort.abort(new Error('not wanted'));
    expect(runs[1]!.signal.aborted).toBe(true);
    expect(runs[2]!.signal.aborted).toBe(false);
    stage.desk.close();
    expect(await Promise.all(failures)).toEqual(['session/aborted', 'session/aborted', 'session/closed']);
  });

  it('does not begin where too many wait, and is told so', async () => {
    const { tool, runs } = slowTool();
    const limits = {
      concurrent: 1,
      queued: 1,
      retries: 0,
      timeoutMs: 1e6,
      answerMs: 1e6,
      expireMs: 1e6,
      textChars: 100,
    };
    const stage = new DeskStage({ tools: [tool], limits });
    void stage.desk.tools.call(call, never);
    const second = stage.desk.tools.call(call, never);
    await expect(stage.desk.tools.call(call, never)).rejects.toMatchObject({ code: 'task/full' });
    await stage.turn();
    runs[0]!.done('one');
    await stage.turn();
    runs[1]!.done('two');
    expect(await second).toBe('two');
  });

  it('is not begun again by the process that takes the session up', async () => {
    const { tool } = slowTool();
    const gone = new DeskStage({ tools: [tool] });
    void gone.desk.tools.call(call, never);
    await gone.turn();
    const stage = new DeskStage({ tools: [tool] });
    stage.desk.restore(gone.events, undefined);
    await stage.turn();
    expect(typesOf(stage.events)).toEqual(['task.stale']);
    expect(stage.provider.runs).toEqual([]);
  });
});
