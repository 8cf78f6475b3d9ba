import * as v from 'valibot';
import { describe, expect, it } from 'vitest';
import { silentLog } from '../telemetry/index.js';
import { Background } from './background.js';
import { BackgroundConfig } from './config.js';
import { DeskStage, settle } from './fixtures/desk-stage.js';

const ask = (stage: DeskStage, text: string) => stage.desk.ask({ text, origin: 'text' }).taskId;

describe('the page’s tools', () => {
  const parameters = { type: 'object' as const, properties: { to: { type: 'string' } }, required: ['to'] };
  const tool = { name: 'go', description: 'goes', parameters, approval: false };
  const context = { sessionId: 's', participant: 'ann', taskId: 'task-1', note: () => {}, patch: () => {} };

  it('are called over the socket, with arguments that fit, and answered once', async () => {
    const stage = new DeskStage();
    stage.desk.registerTools([tool]);
    ask(stage, 'q');
    await settle();
    const { io } = stage.provider.of('q');
    const call = (args: unknown) =>
      io.tools.call({ name: 'go', arguments: args }, { ...context, signal: io.signal }, io.approve);
    await expect(call({})).rejects.toMatchObject({ code: 'tool/failed', message: expect.stringContaining('to') });
    const output = call({ to: 'home' });
    await settle();
    const [event] = stage.of('tool.call');
    expect(event).toMatchObject({ name: 'go', arguments: { to: 'home' }, taskId: 'task-1' });
    stage.desk.toolResult({ callId: event!.callId, output: { went: true } });
    await expect(output).resolves.toBe('{"went":true}');
    expect(() => stage.desk.toolResult({ callId: event!.callId, output: 1 })).toThrow(
      expect.objectContaining({ code: 'task/unknown' }),
    );
  });

  it('fault 30: a result of 10 MB is refused, and the next one taken', async () => {
    const stage = new DeskStage();
    stage.desk.registerTools([tool]);
    ask(stage, 'q');
    await settle();
    const { io } = stage.provider.of('q');
    const output = io.tools.call({ name: 'go', arguments: { to: 'x' } }, { ...context, signal: io.signal }, io.approve);
    await settle();
    const { callId } = stage.of('tool.call')[0]!;
    expect(() => stage.desk.toolResult({ callId, output: 'x'.repeat(10_000_000) })).toThrow(
      expect.objectContaining({ code: 'protocol/too-large' }),
    );
    stage.desk.toolResult({ callId, error: 'it was too large' });
    await expect(output).rejects.toMatchObject({ code: 'tool/failed' });
  });

  it('may take arguments of any name', async () => {
    const stage = new DeskStage();
    const named = {
      type: 'object' as const,
      properties: {
        pattern: { type: 'string' },
        $ref: {},
        properties: { type: 'object', properties: { pattern: {} } },
      },
      $defs: { pattern: { type: 'string' } },
      dependentRequired: { pattern: ['$ref'] },
    };
    expect(stage.desk.registerTools([{ ...tool, parameters: named }])).toEqual([]);
  });

  it('that change something run only with the user’s leave, and end with their task', async () => {
    const stage = new DeskStage();
    stage.desk.registerTools([{ ...tool, approval: true }]);
    ask(stage, 'q');
    await settle();
    const { io } = stage.provider.of('q');
    const call = () =>
      io.tools.call({ name: 'go', arguments: { to: 'x' } }, { ...context, signal: io.signal }, io.approve);
    const refused = call();
    await settle();
    stage.desk.answer('task-1', false);
    await expect(refused).rejects.toMatchObject({ message: expect.stringContaining('did not allow') });
    expect(stage.of('tool.call')).toEqual([]);
    const allowed = call();
    await settle();
    stage.desk.answer('task-1', true, stage.task().question!.id);
    await settle();
    expect(stage.of('tool.call')).toHaveLength(1);
    stage.desk.cancel('task-1', 'client');
    await expect(allowed).rejects.toMatchObject({ code: 'session/aborted' });
    expect(stage.of('tool.result')).toMatchObject([{ error: expect.any(String) }]);
  });

  it.each<[string, object]>([
    ['a pattern', { type: 'object', properties: { a: { type: 'string', pattern: '(a+)+$' } } }],
    ['a reference', { type: 'object', properties: { a: { $ref: '#' } } }],
    ['a dynamic reference', { type: 'object', properties: { a: { $dynamicRef: '#' } } }],
    ['a recursive reference', { type: 'object', properties: { a: { $recursiveRef: '#' } } }],
    ['a format that is slow to refuse', { type: 'object', properties: { a: { format: 'url' } } }],
    ...['properties', '$defs', 'definitions', 'dependentSchemas', 'dependencies'].map((map): [string, object] => [
      `a pattern below a name in ${map}`,
      { type: 'object', [map]: { properties: { patternProperties: { '^(a+)+$': {} } } } },
    ]),
    ...['items', 'allOf', 'not', 'additionalProperties', 'unknown'].map((keyword): [string, object] => [
      `a pattern below ${keyword}`,
      { type: 'object', properties: { a: { [keyword]: [{ properties: { b: { pattern: '(a+)+$' } } }] } } },
    ]),
  ])('with %s in their schema are refused', (_name, schema) => {
    const stage = new DeskStage();
    const refused = stage.desk.registerTools([{ ...tool, parameters: schema as unknown as typeof parameters }]);
    expect(refused).toEqual([expect.stringMatching(/^go: .+ is not used in schemas here$/)]);
    expect(stage.desk.tools.list()).toEqual([]);
  });

  it('whose names are taken are refused, and the others offered', () => {
    const run = () => 'noon';
    const stage = new DeskStage({ tools: [{ ...tool, name: 'clock', run }] });
    const named = (name: string) => ({ ...tool, name });
    expect(stage.desk.registerTools(['go', 'ask_user', 'clock', 'stay', 'go'].map(named))).toEqual([
      'ask_user: the name is taken, as are ask_user, clock',
      'clock: the name is taken, as are ask_user, clock',
      'go: two tools of the page have that name',
    ]);
    expect(stage.desk.tools.list().map(({ name }) => name)).toEqual(['clock', 'go', 'stay']);
  });
});

it('a tool of the app cannot have the name of what asks the user', async () => {
  const opened = Background.open({
    config: v.parse(BackgroundConfig, {}),
    languageModels: undefined,
    hooks: { tools: [{ name: 'ask_user', description: 'asks', parameters: { type: 'object' }, run: () => '' }] },
    after: () => () => {},
    log: silentLog,
    env: {},
  });
  await expect(opened).rejects.toMatchObject({
    code: 'edge/config',
    message: expect.stringContaining('ask_user') as string,
  });
});
