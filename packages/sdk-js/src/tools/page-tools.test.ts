import { decodeJson, limits, MicroturnError, type SessionEventBody } from '@microturn/protocol';
import { describe, expect, it } from 'vitest';
import { createSession } from '../index.js';
import { ManualClock, scriptedTransport, settled } from '../testing/index.js';
import type { ClientTool } from './page-tools.js';

async function connected() {
  const transport = scriptedTransport();
  const clock = new ManualClock();
  const session = createSession({ url: 'http://edge', token: 'token', transport, clock });
  await session.connect();
  const errors: string[] = [];
  session.errors.subscribe(({ code }) => errors.push(code));
  const call = async (name: string, args: object = {}, callId = 'c1') => {
    transport.emit({ type: 'tool.call', callId, taskId: 't1', name, arguments: args });
    await settled();
    return transport.sentOf('tool.result').find((result) => result.callId === callId);
  };
  const offered = () => transport.sentOf('tools.register').map(({ tools }) => tools.map(({ name }) => name));
  return { transport, clock, session, errors, call, offered };
}

const tool = (execute: ClientTool['execute'], more: Partial<ClientTool> = {}): ClientTool => ({
  name: 'colour',
  description: 'Colours the page.',
  parameters: { type: 'object', properties: { to: { type: 'string' } } },
  execute,
  ...more,
});

/** An object with so many levels. */
function nested(levels: number): object {
  return levels > 1 ? { in: nested(levels - 1) } : {};
}

describe('functions of the page', () => {
  it('are offered together, with what they need and whether they must be approved', async () => {
    const { session, transport, offered } = await connected();
    session.registerTool(tool(() => 1));
    const withdraw = session.registerTool(tool(() => 2, { name: 'buy', approval: true }));
    await settled();
    expect(offered()).toEqual([['colour', 'buy']]);
    expect(transport.sentOf('tools.register')[0]!.tools).toEqual([
      {
        name: 'colour',
        description: 'Colours the page.',
        parameters: { type: 'object', properties: { to: { type: 'string' } } },
        approval: false,
      },
      expect.objectContaining({ name: 'buy', approval: true }),
    ]);
    withdraw();
    withdraw();
    await settled();
    expect(offered()).toEqual([['colour', 'buy'], ['colour']]);
    expect(() => session.registerTool(tool(() => 1, { name: 'no name' }))).toThrow(TypeError);
  });

  const circle: Record<string, unknown> = { type: 'object' };
  circle['self'] = circle;
  it.each<[wrong: string, more: object, message: RegExp]>([
    ['name', { name: '2fast' }, /2fast.*a letter or _, then letters, digits, _ and -/],
    ['name', { name: undefined }, /a letter or _/],
    ['name', { name: 'x'.repeat(65) }, /at most 64/],
    ['description', { description: 'x'.repeat(1025) }, /colour.*a description of 1 to 1024 characters/],
    ['description', { description: undefined }, /colour.*a description/],
    ['description', { description: '' }, /colour.*a description/],
    ['execute', { execute: undefined }, /colour.*execute/],
    ['execute', { execute: 'paint()' }, /colour.*execute/],
    ['parameters', { parameters: undefined }, /colour.*parameters/],
    ['parameters', { parameters: { type: 'string' } }, /colour.*parameters/],
    ['parameters', { parameters: circle }, /colour.*circular/s],
    ['parameters', { parameters: { type: 'object', maximum: 5n } }, /colour.*BigInt/],
    ['parameters', { parameters: { type: 'object', properties: nested(13) } }, /colour.*17 levels/],
  ])('are refused at once where the %s cannot be offered (%#)', async (_wrong, more, message) => {
    const { session, errors, offered } = await connected();
    session.registerTool(tool(() => 1, { name: 'other' }));
    expect(() => session.registerTool(tool(() => 1, more))).toThrow(TypeError);
    expect(() => session.registerTool(tool(() => 1, more))).toThrow(message);
    await settled();
    expect([offered(), errors]).toEqual([[['other']], []]);
  });

  it('are offered as they were registered, however deep a message may be', async () => {
    const { session, transport, errors } = await connected();
    const parameters: ClientTool['parameters'] & Record<string, unknown> = { type: 'object', properties: nested(12) };
    session.registerTool(tool(() => 1, { parameters }));
    parameters['self'] = parameters;
    await settled();
    expect(transport.sentOf('tools.register')[0]?.tools[0]?.parameters).toEqual({
      type: 'object',
      properties: nested(12),
    });
    expect(errors).toEqual([]);
  });

  it('are offered without the ones that no longer fit the message of all, each of which is an error by its name', async () => {
    const { session, transport, offered } = await connected();
    const messages: string[] = [];
    session.errors.subscribe(({ code, message }) => messages.push(`${code}: ${message}`));
    const sized = (name: string, chars: number) =>
      session.registerTool(tool(() => 1, { name, parameters: { type: 'object', title: '你'.repeat(chars) } }));
    sized('small', 10);
    const withdraw = sized('large', 15_000);
    sized('huge', 25_000);
    sized('another', 10_000);
    sized('last', 10);
    await settled();
    expect(offered()).toEqual([['small', 'large', 'last']]);
    expect(messages).toEqual([
      expect.stringMatching(/^protocol\/too-large: .*huge/),
      expect.stringMatching(/^protocol\/too-large: .*another/),
    ]);
    const sent = () => new TextEncoder().encode(JSON.stringify(transport.sentOf('tools.register').at(-1)));
    expect(sent().length).toBeLessThan(limits.messageBytes);
    withdraw();
    await settled();
    expect(offered().at(-1)).toEqual(['small', 'another', 'last']);
  });

  it('are those of who is left where two parts of a page offer one of the same name', async () => {
    const { session, call, transport } = await connected();
    const withdraw = session.registerTool(tool(() => 'the page’s'));
    const withdrawLater = session.registerTool(tool(() => 'the dialog’s', { description: 'Colours the dialog.' }));
    const described = () =>
      transport
        .sentOf('tools.register')
        .at(-1)
        ?.tools.map(({ description }) => description);
    await settled();
    expect([described(), await call('colour')]).toMatchObject([['Colours the dialog.'], { output: 'the dialog’s' }]);
    withdrawLater();
    withdrawLater();
    await settled();
    expect([described(), await call('colour', {}, 'c2')]).toMatchObject([
      ['Colours the page.'],
      { output: 'the page’s' },
    ]);
    withdraw();
    await settled();
    expect(described()).toEqual([]);
  });

  it('are offered again to an edge that the session comes to later', async () => {
    const { session, offered } = await connected();
    session.registerTool(tool(() => 1));
    await settled();
    await session.disconnect();
    await session.connect();
    await settled();
    expect(offered()).toEqual([['colour'], ['colour']]);
  });

  it('are called with their arguments, and what they give back is sent', async () => {
    const { session, call, errors } = await connected();
    const called: unknown[] = [];
    session.registerTool(
      tool(async (args, { taskId }) => {
        called.push([args, taskId]);
        return { was: 'red' };
      }),
    );
    session.registerTool(tool(() => undefined, { name: 'scroll' }));
    expect(await call('colour', { to: 'blue' })).toMatchObject({ output: { was: 'red' } });
    expect(called).toEqual([[{ to: 'blue' }, 't1']]);
    // A function that gives nothing back has still been called.
    expect(await call('scroll', {}, 'c2')).toMatchObject({ output: 'done' });
    expect(errors).toEqual([]);
  });

  it.each<[what: string, execute: ClientTool['execute'], error: string]>([
    ['throws', () => Promise.reject(new Error('the paint is out')), 'the paint is out'],
    [
      'throws at once',
      () => {
        throw new RangeError('no such colour');
      },
      'no such colour',
    ],
    ['gives back too much', () => 'x'.repeat(limits.toolOutputChars), 'too large'],
    ['gives back more bytes than a message has', () => '你'.repeat(limits.messageBytes / 3), 'too large'],
    ['gives back more levels than a message has', () => nested(16), 'at most 15 levels'],
    ['gives back what is no JSON', () => () => 1, 'not JSON'],
    [
      'gives back a circle',
      () => {
        const a: Record<string, unknown> = {};
        a['a'] = a;
        return a;
      },
      'circular',
    ],
  ])('one that %s fails its call, and nothing else', async (_what, execute, error) => {
    const { session, call, errors } = await connected();
    session.registerTool(tool(execute));
    const result = await call('colour');
    expect(result).toMatchObject({ error: expect.stringContaining(error) as unknown });
    expect(result).not.toHaveProperty('output');
    expect([errors, session.connection.value.status]).toEqual([[], 'connected']);
  });

  it('the largest result that the edge takes is sent', async () => {
    const { session, call } = await connected();
    session.registerTool(tool(() => 'x'.repeat(limits.toolOutputChars - 2)));
    expect(await call('colour')).toMatchObject({ output: expect.any(String) as unknown });
    session.registerTool(tool(() => nested(15), { name: 'tree' }));
    const { type, id, ...result } = (await call('tree', {}, 'c2'))!;
    expect([type, result]).toEqual(['tool.result', { callId: 'c2', output: nested(15) }]);
    expect(() => decodeJson(JSON.stringify({ type, id, ...result }))).not.toThrow();
  });

  it('a call of one that is not there is told so', async () => {
    const { call } = await connected();
    expect(await call('nowhere')).toMatchObject({ error: 'there is no function nowhere in the page' });
  });

  it('one whose task is called off is told by its signal, and its result is not sent', async () => {
    const { session, transport, call } = await connected();
    let signal: AbortSignal | undefined;
    let finish: (value: string) => void = () => undefined;
    session.registerTool(
      tool((_args, context) => {
        signal = context.signal;
        return new Promise((resolve) => (finish = resolve));
      }),
    );
    expect(await call('colour')).toBeUndefined();
    transport.emit({ type: 'tool.result', callId: 'c1', error: 'it is not wanted any more' });
    expect(signal!.aborted).toBe(true);
    finish('late');
    await settled();
    expect(transport.sentOf('tool.result')).toEqual([]);
  });

  it('what they give back while the link is lost is sent over the next, also where it was lost on its way', async () => {
    const { session, transport, clock, call, errors } = await connected();
    let finish: (value: string) => void = () => undefined;
    session.registerTool(tool(() => new Promise((resolve) => (finish = resolve))));
    await call('colour');
    transport.drop();
    finish('red');
    await clock.run(500);
    expect(transport.sentOf('tool.result')).toMatchObject([{ callId: 'c1', output: 'red' }]);

    transport.answer('tool.result', () => new Promise(() => undefined));
    await call('colour', {}, 'c2');
    finish('blue');
    await settled();
    transport.drop();
    transport.answer('tool.result', () => ({}));
    await clock.run(500);
    expect(transport.sentOf('tool.result').map(({ callId }) => callId)).toEqual(['c1', 'c2', 'c2']);

    // The end of the call is the end of it.
    transport.answer('tool.result', () => new Promise(() => undefined));
    await call('colour', {}, 'c3');
    finish('green');
    await settled();
    await session.disconnect();
    await session.connect();
    await settled();
    expect(transport.sentOf('tool.result')).toHaveLength(4);
    expect(errors).toEqual([]);
    await session.close();
  });

  it('that are withdrawn while the link is lost are withdrawn when it is back', async () => {
    const { session, transport, clock, offered } = await connected();
    const withdraw = session.registerTool(tool(() => 1));
    await settled();
    transport.drop();
    withdraw();
    await clock.run(500);
    expect(offered()).toEqual([['colour'], []]);
    await session.close();
  });

  it('an error of the edge about a result is an error of the session', async () => {
    const { session, transport, call, errors } = await connected();
    transport.answer('tool.result', () => {
      throw new MicroturnError('task/unknown');
    });
    session.registerTool(tool(() => 'red'));
    await call('colour');
    expect(errors).toEqual(['task/unknown']);
  });

  it('approval is asked of the user through the task, and answered by its id', async () => {
    const { session, transport } = await connected();
    const about = { taskId: 't1', revision: 1, title: 'paint' };
    const asks: SessionEventBody = {
      type: 'task.question',
      ...about,
      questionId: 'q1',
      text: 'May I use colour?',
      approval: { tool: 'colour', arguments: { to: 'blue' } },
    };
    transport.emit(asks);
    expect(session.tasks.value[0]).toMatchObject({
      status: 'asking',
      question: { id: 'q1', approval: { tool: 'colour', arguments: { to: 'blue' } } },
    });
    await session.answer('t1', true);
    expect(transport.sentOf('task.answer')[0]).toMatchObject({ taskId: 't1', answer: true, questionId: 'q1' });
    // Of the one that was seen, where another came meanwhile; of none that is known, the edge decides.
    await session.answer('t1', true, { questionId: 'q0' });
    await session.answer('t2', 'four');
    expect(transport.sentOf('task.answer').slice(1)).toEqual([
      expect.objectContaining({ taskId: 't1', questionId: 'q0' }),
      expect.not.objectContaining({ questionId: expect.anything() }),
    ]);
    transport.emit({ type: 'task.progress', ...about, status: 'running' });
    expect(session.tasks.value[0]).not.toHaveProperty('question');
  });
});
