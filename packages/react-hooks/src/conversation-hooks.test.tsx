// @vitest-environment jsdom
import type { SessionEventOf } from '@microturn/sdk';
import { act, cleanup } from '@testing-library/react';
import { afterEach, describe, expect, it } from 'vitest';
import { useInterruptions, useResponses, useSurface, useSurfaces, useTasks, useTranscript } from './index.js';
import { renderHook, started, word } from './testing.js';

afterEach(cleanup);

describe('useTranscript and useResponses', () => {
  it('give both sides, or one of them', async () => {
    const both = await renderHook(() => useTranscript());
    act(() => {
      both.transport.emit(word('hello', 300), 400);
      both.transport.emit(started(), 800);
      both.transport.emit({ type: 'response.text', responseId: 'a', text: 'hi', words: [] });
    });
    expect(both.current.map((entry) => [entry.speaker, entry.text])).toEqual([
      ['user', 'hello'],
      ['agent', 'hi'],
    ]);
    const mine = await renderHook(() => [useTranscript({ speaker: 'user' }), useResponses()] as const);
    act(() => {
      mine.transport.emit(word('hello', 300), 400);
      mine.transport.emit(started(), 800);
    });
    expect(mine.current[0].map((entry) => entry.text)).toEqual(['hello']);
    expect(mine.current[1].map((response) => response.status)).toEqual(['speaking']);
  });

  it('give those whom a choice of the user names', async () => {
    const choices: ('user' | 'agent' | undefined)[] = ['user', 'agent', undefined];
    const hook = await renderHook(() => choices.map((speaker) => useTranscript({ speaker })));
    act(() => {
      hook.transport.emit(word('hello', 300), 400);
      hook.transport.emit(started(), 800);
    });
    expect(hook.current.map((entries) => entries.map(({ speaker }) => speaker))).toEqual([
      ['user'],
      ['agent'],
      ['user', 'agent'],
    ]);
  });
});

describe('useInterruptions', () => {
  it('gives those of both directions', async () => {
    const hook = await renderHook(useInterruptions);
    act(() => {
      hook.transport.emit(started());
      hook.transport.emit({ type: 'interruption', kind: 'backchannel', participant: 'caller', taken: false });
      hook.transport.emit({ type: 'interruption', kind: 'interjection', participant: 'caller', taken: true });
    });
    expect(hook.current.map(({ by, kind }) => [by, kind])).toEqual([
      ['user', 'backchannel'],
      ['agent', 'interjection'],
    ]);
  });
});

describe('useTasks', () => {
  it('has none yet', async () => {
    expect((await renderHook(useTasks)).current).toEqual([]);
  });

  it('follows a task to its result', async () => {
    const hook = await renderHook(useTasks);
    const { transport } = hook;
    const about = { taskId: 't', revision: 1, title: 'tower' };
    act(() => void transport.emit({ type: 'task.created', ...about, origin: 'text', prompt: 'how high' }));
    act(() => void transport.emit({ type: 'task.delta', ...about, text: 'It is' }));
    expect(hook.current).toMatchObject([{ id: 't', status: 'streaming', text: 'It is' }]);
    act(() => void transport.emit({ type: 'task.completed', ...about, text: 'It is high.' }));
    expect(hook.current).toMatchObject([{ id: 't', status: 'done', text: 'It is high.' }]);
  });
});

describe('useSurface', () => {
  type Patch = Pick<SessionEventOf<'ui.patch'>, 'type' | 'surfaceId' | 'patch'>;
  const draw = (surfaceId: string, path: string, value: unknown): Patch => ({
    type: 'ui.patch',
    surfaceId,
    patch: [{ op: 'add', path, value }],
  });

  it('gives what one surface shows, and renders for no other', async () => {
    const hook = await renderHook(() => useSurface<{ rows: string[] }>('list'));
    expect(hook.current).toBeUndefined();
    act(() => void hook.transport.emit(draw('list', '', { rows: ['a'] })));
    expect(hook.current?.rows).toEqual(['a']);
    const before = hook.renders;
    act(() => void hook.transport.emit(draw('other', '/x', 1)));
    expect(hook.renders).toBe(before);
    act(() => void hook.transport.emit(draw('list', '/rows/-', 'b')));
    expect(hook.current?.rows).toEqual(['a', 'b']);
  });

  it('has a hook for all of them, in the order in which they began', async () => {
    const hook = await renderHook(useSurfaces);
    act(() => {
      hook.transport.emit(draw('b', '/x', 1));
      hook.transport.emit(draw('a', '/x', 2));
      hook.transport.emit(draw('b', '/y', 3));
    });
    expect([...hook.current]).toEqual([
      ['b', { x: 1, y: 3 }],
      ['a', { x: 2 }],
    ]);
  });
});
