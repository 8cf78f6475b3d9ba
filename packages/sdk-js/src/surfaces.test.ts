import type { PatchOperation, SessionEventBody } from '@microturn/protocol';
import { expect, it } from 'vitest';
import { createSession, type MicroturnError } from './index.js';
import { ManualClock, scriptedTransport } from './testing/index.js';

async function connected() {
  const clock = new ManualClock();
  const transport = scriptedTransport();
  const session = createSession({ url: 'http://edge', token: 'token', transport, clock, microphone: false });
  const errors: MicroturnError[] = [];
  session.errors.subscribe((error) => errors.push(error));
  await session.connect();
  return { clock, transport, session, errors };
}
const change = (surfaceId: string, ...patch: PatchOperation[]): SessionEventBody => ({
  type: 'ui.patch',
  surfaceId,
  patch,
});
const begin = change('list', { op: 'add', path: '/rows', value: ['a'] });
const append = (value: string) => change('list', { op: 'add', path: '/rows/-', value });

it('shows what patches make of surfaces, as it comes', async () => {
  const { session, transport } = await connected();
  const shown: unknown[] = [];
  session.surfaces.subscribe((surfaces) => shown.push(Object.fromEntries(surfaces)));
  transport.emit(begin);
  transport.emit(append('b'));
  transport.emit(change('note', { op: 'replace', path: '', value: 'hello' }));
  transport.emit(change('list', { op: 'remove', path: '' }));
  expect(shown).toEqual([
    {},
    { list: { rows: ['a'] } },
    { list: { rows: ['a', 'b'] } },
    { list: { rows: ['a', 'b'] }, note: 'hello' },
    { note: 'hello' },
  ]);
  const { surfaces } = await session.until((snapshot) => snapshot.surfaces.has('note'));
  expect(surfaces).toBe(session.surfaces.value);
  await session.close();
});

it('tells of a patch that does not fit, and changes nothing by it', async () => {
  const { session, transport, errors } = await connected();
  const events: string[] = [];
  session.events.subscribe(({ type }) => events.push(type));
  transport.emit(begin);
  const before = session.surfaces.value;
  const misfit = { op: 'replace', path: '/missing', value: 1 } as const;
  transport.emit(change('list', { op: 'add', path: '/rows/-', value: 'half' }, misfit));
  expect(session.surfaces.value).toBe(before);
  expect(errors).toMatchObject([{ code: 'ui/patch', message: expect.stringContaining("list: no place '/missing'") }]);
  transport.emit(append('b'));
  expect(session.surfaces.value.get('list')).toEqual({ rows: ['a', 'b'] });
  expect(events).toEqual(['ui.patch', 'ui.patch', 'ui.patch']);
  await session.close();
});

it('takes each patch once over a lost link, and has what the edge draws anew where some were lost', async () => {
  const { session, transport, clock, errors } = await connected();
  transport.emit(begin);
  transport.drop();
  transport.emit(append('b'));
  await clock.run(500);
  transport.emit(append('c'));
  expect(session.surfaces.value.get('list')).toEqual({ rows: ['a', 'b', 'c'] });

  transport.emit({ type: 'session.resumed', lostMs: 300 });
  expect(session.surfaces.value.size).toBe(0);
  transport.emit(change('list', { op: 'add', path: '', value: { rows: ['x'] } }));
  expect(session.surfaces.value.get('list')).toEqual({ rows: ['x'] });
  expect(errors).toEqual([]);
  await session.close();
});

it('keeps what was shown after the call, and begins the next with nothing', async () => {
  const { session, transport } = await connected();
  transport.emit(begin);
  await session.disconnect();
  expect([...session.surfaces.value.keys()]).toEqual(['list']);
  await session.connect();
  expect(session.surfaces.value.size).toBe(0);
  await session.close();
});
