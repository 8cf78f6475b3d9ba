// @vitest-environment jsdom
import type { AgentState, SessionEventOf } from '@microturn/sdk';
import { act, cleanup } from '@testing-library/react';
import { afterEach, describe, expect, it, vi } from 'vitest';
import {
  useAgentState,
  useConnection,
  useFloor,
  useMicrophone,
  useParticipants,
  useSession,
  useSessionError,
  useSessionEvent,
  useSpeaker,
  useStateValue,
  useTranscript,
} from './index.js';
import { renderHook, renderWithSession, speaking, started } from './testing.js';

afterEach(cleanup);

describe('useConnection', () => {
  it('follows a call from its start to its end, with actions that stay the same', async () => {
    const hook = await renderHook(useConnection, { connect: false });
    const { connect, disconnect } = hook.current;
    expect(hook.current).toMatchObject({ status: 'idle', isPending: false, isConnected: false, error: undefined });
    let done = Promise.resolve();
    act(() => {
      done = connect();
    });
    expect(hook.current).toMatchObject({ status: 'requesting-media', isPending: true });
    await act(() => done);
    expect(hook.current).toMatchObject({ status: 'connected', isConnected: true });
    await act(disconnect);
    expect(hook.current.status).toBe('idle');
    expect([hook.current.connect, hook.current.disconnect]).toEqual([connect, disconnect]);
  });

  it('never rejects: the error is in its result', async () => {
    const hook = await renderHook(useConnection, { connect: false });
    hook.transport.media.refuse();
    await act(hook.current.connect);
    expect(hook.current).toMatchObject({ status: 'failed', error: { code: 'media/permission' } });
    expect(hook.current.error?.hint).toContain('allow it');
  });
});

describe('useAgentState', () => {
  it('gives what the agent does', async () => {
    const hook = await renderHook(() => useAgentState());
    act(() => {
      hook.transport.emit(started());
      hook.transport.emit(speaking);
    });
    expect(hook.current).toEqual({ listening: true, speaking: true, thinking: false, overlapping: true });
  });

  it('renders only when what the selector picks has changed, an object too', async () => {
    const hook = await renderHook(() => useAgentState((state) => ({ talks: state.speaking })));
    const before = hook.renders;
    act(() => void hook.transport.emit(started()));
    expect(hook.current).toEqual({ talks: true });
    const after = hook.renders;
    expect(after).toBeGreaterThan(before);
    act(() => void hook.transport.emit(speaking));
    expect(hook.renders).toBe(after);
  });

  it.each<[string, (state: AgentState) => unknown, unknown]>([
    ['a Set', ({ speaking: talks }) => new Set(talks ? ['speaking'] : []), new Set(['speaking'])],
    [
      'an object with other keys',
      ({ speaking: talks }) => (talks ? { talks: true } : { rests: undefined }),
      { talks: true },
    ],
  ])('renders when the selector picks %s', async (_, selector, picked) => {
    const hook = await renderHook(() => useAgentState(selector));
    act(() => void hook.transport.emit(started()));
    expect(hook.current).toEqual(picked);
  });
});

describe('useFloor', () => {
  it('gives what the model believes about us', async () => {
    const hook = await renderHook(useFloor);
    act(() => void hook.transport.emit(speaking, 400));
    expect(hook.current).toEqual({ floor: 'speaking', confidence: 0.8, at: 400 });
  });
});

describe('useParticipants', () => {
  it('follows who is in the room', async () => {
    const hook = await renderHook(useParticipants);
    expect(hook.current).toMatchObject([{ identity: 'caller', isLocal: true, speaking: false }]);
    act(() => hook.transport.receive({ type: 'speakers.changed', speakers: ['caller'] }));
    expect(hook.current).toMatchObject([{ identity: 'caller', speaking: true }]);
  });
});

describe('useSessionEvent', () => {
  it('calls the newest callback, and none after unmount', async () => {
    const calls: string[] = [];
    const callback = vi.fn<(name: string, event: SessionEventOf<'floor.changed'>) => void>((name, event) =>
      calls.push(`${name} ${event.floor}`),
    );
    let name = 'first';
    function Probe() {
      const current = name;
      useSessionEvent('floor.changed', (event) => callback(current, event));
      return <p>{useFloor().floor}</p>;
    }
    const { transport, view } = await renderWithSession(<Probe />);
    act(() => void transport.emit(speaking));
    name = 'second';
    act(() => void transport.emit({ ...speaking, floor: 'yielded' }));
    act(() => void transport.emit(speaking));
    expect(calls).toEqual(['first speaking', 'first yielded', 'second speaking']);
    view.unmount();
    transport.emit(speaking);
    expect(callback).toHaveBeenCalledTimes(3);
  });
});

describe('useSessionError', () => {
  it('calls the newest callback for what goes wrong without ending the call, and none after unmount', async () => {
    const shown: string[] = [];
    let name = 'first';
    function Probe() {
      const current = name;
      useSessionError(({ code, hint }) => shown.push(`${current} ${code}: ${hint}`));
      return <p>{useConnection().status}</p>;
    }
    const { transport, view, session } = await renderWithSession(<Probe />);
    const late = { type: 'error', code: 'engine/late', message: 'm', retryable: true, hint: 'h' } as const;
    act(() => void transport.emit(late));
    name = 'second';
    await act(() => session.disconnect());
    await act(() => session.connect());
    act(() => void transport.emit(late));
    expect(shown.map((line) => line.split(':')[0])).toEqual(['first engine/late', 'second engine/late']);
    expect(shown[0]).toContain('microturn doctor');
    view.unmount();
    transport.emit(late);
    expect(shown).toHaveLength(2);
  });
});

describe('useStateValue', () => {
  it('reads any state of the session, and unsubscribes', async () => {
    const hook = await renderHook(() => useStateValue(useSession().info, undefined));
    expect(hook.current?.model).toBe('scripted');
    hook.view.unmount();
    await hook.session.disconnect();
    expect(hook.current?.model).toBe('scripted');
  });
});

describe('all hooks', () => {
  it('render nothing for what does not concern them', async () => {
    const hook = await renderHook(
      () => [useConnection(), useMicrophone(), useSpeaker(), useTranscript(), useAgentState()] as const,
    );
    const before = hook.renders;
    act(() => {
      for (let i = 0; i < 50; i++) {
        hook.transport.emit({ type: 'stats', loss: 0, jitterMs: 0, turnLagMs: 0, stepMs: 0 });
        hook.transport.emit({ type: 'floor.changed', participant: 'someone', floor: 'speaking', confidence: 1 });
      }
    });
    expect(hook.renders).toBe(before);
  });
});
