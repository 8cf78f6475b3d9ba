// @vitest-environment jsdom
import { MicroturnError, type SessionEventOf } from '@microturn/sdk';
import { act, cleanup } from '@testing-library/react';
import type { ReactNode } from 'react';
import { afterEach, describe, expect, it, vi } from 'vitest';
import {
  ParticipantVideo,
  useAgentState,
  useAsk,
  useCamera,
  useClientTool,
  useConnection,
  useFloor,
  useInterruptions,
  useMicrophone,
  useParticipants,
  useResponses,
  useSay,
  useScreen,
  useSession,
  useSessionError,
  useSessionEvent,
  useSpeaker,
  useStateValue,
  useSurface,
  useSurfaces,
  useTasks,
  useTranscript,
  useVideo,
} from './index.js';
import { SessionProvider } from './provider.js';
import { renderWithSession, rest } from './testing.js';

afterEach(cleanup);

/** Renders a hook, and keeps what each render gave. */
async function renderHook<T>(use: () => T, options?: { connect?: boolean }) {
  const results: T[] = [];
  function Probe() {
    results.push(use());
    return null;
  }
  const stage = await renderWithSession(<Probe />, options);
  return {
    ...stage,
    get current(): T {
      return results.at(-1) as T;
    },
    get renders(): number {
      return results.length;
    },
  };
}

const started = (responseId = 'a') =>
  ({ type: 'response.started', responseId, kind: 'reply', audience: 'room' }) as const;
const word = (text: string, endMs: number) =>
  ({ type: 'transcript.word', participant: 'caller', text, endMs, confidence: 1, final: true }) as const;
const speaking = { type: 'floor.changed', participant: 'caller', floor: 'speaking', confidence: 0.8 } as const;

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
});

describe('useFloor', () => {
  it('gives what the model believes about us', async () => {
    const hook = await renderHook(useFloor);
    act(() => void hook.transport.emit(speaking, 400));
    expect(hook.current).toEqual({ floor: 'speaking', confidence: 0.8, at: 400 });
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

describe('useMicrophone', () => {
  it('shows the microphone and works it', async () => {
    const hook = await renderHook(useMicrophone);
    expect(hook.current).toMatchObject({ status: 'live', isEnabled: true, isMuted: false, deviceId: 'microphone-1' });
    expect(hook.current.track).toBe(hook.session.microphone.track.value);
    const { toggleMuted } = hook.current;
    await act(toggleMuted);
    expect(hook.current).toMatchObject({ status: 'muted', isEnabled: true, isMuted: true });
    expect(hook.current.toggleMuted).toBe(toggleMuted);
    await act(toggleMuted);
    act(() => hook.transport.media.opened[0]!.silence(true));
    expect(hook.current).toMatchObject({ status: 'silenced', isEnabled: true, isMuted: false, isSilenced: true });
    await act(hook.current.disable);
    expect(hook.current).toMatchObject({ status: 'off', isEnabled: false, track: undefined });
  });

  it('is muted before a call, and unmuted again; the call begins as it was left', async () => {
    const hook = await renderHook(useMicrophone, { connect: false });
    await act(hook.current.toggleMuted);
    expect(hook.current).toMatchObject({ status: 'off', isEnabled: false, isMuted: true });
    await act(hook.current.toggleMuted);
    expect(hook.current.isMuted).toBe(false);
    await act(hook.current.toggleMuted);
    await act(() => hook.session.connect());
    expect(hook.current).toMatchObject({ status: 'muted', isMuted: true });
    await act(() => hook.session.disconnect());
    expect(hook.current).toMatchObject({ status: 'off', isMuted: true });
  });

  it('has the error of what failed', async () => {
    const hook = await renderHook(useMicrophone, { connect: false });
    hook.transport.media.refuse('NotReadableError');
    await act(hook.current.enable);
    expect(hook.current).toMatchObject({ status: 'failed', error: { code: 'media/in-use' } });
  });

  it('has the error of a mute that the edge was not told of', async () => {
    const hook = await renderHook(useMicrophone);
    hook.transport.answer('producer.mute', () => {
      throw new MicroturnError('protocol/rate');
    });
    await act(hook.current.toggleMuted);
    expect(hook.current).toMatchObject({ status: 'muted', isMuted: true, error: { code: 'protocol/rate' } });
    hook.transport.answer('producer.mute', () => ({}));
    await act(hook.current.toggleMuted);
    expect(hook.current).toMatchObject({ status: 'live', isMuted: false, error: undefined });
  });

  it('is told of a device that went away, and of one that was chosen', async () => {
    const hook = await renderHook(useMicrophone);
    act(() => hook.transport.media.plug('microphone-2'));
    await rest();
    expect(hook.current.devices).toHaveLength(2);
    await act(() => hook.current.select('microphone-2'));
    expect(hook.current.deviceId).toBe('microphone-2');
    act(() => hook.transport.media.unplug('microphone-2'));
    await rest();
    expect(hook.current.status).toBe('ended');
  });
});

describe('useSpeaker', () => {
  it('says that sound is blocked, and unlocks it', async () => {
    const hook = await renderHook(useSpeaker, { connect: false });
    hook.transport.media.blockPlayback();
    await act(() => hook.session.connect());
    await rest();
    expect(hook.current.isBlocked).toBe(true);
    await act(hook.current.unlock);
    expect(hook.current).toMatchObject({ isBlocked: true, error: { code: 'media/blocked' } });
    hook.transport.media.allowPlayback();
    await act(hook.current.unlock);
    expect(hook.current).toMatchObject({ isBlocked: false, error: undefined });
  });

  it('says why another device is not taken', async () => {
    const hook = await renderHook(useSpeaker);
    const { unlock, select } = hook.current;
    for (const element of hook.transport.media.elements) element.setSinkId = () => Promise.reject(new Error('no'));
    await act(() => hook.current.select('speaker-2'));
    expect(hook.current).toMatchObject({ deviceId: undefined, error: { code: 'media/unsupported' } });
    expect([hook.current.unlock, hook.current.select]).toEqual([unlock, select]);
  });

  it('sets the volume, the mute and the device', async () => {
    const hook = await renderHook(useSpeaker);
    act(() => {
      hook.current.setVolume(0.3);
      hook.current.setMuted(true);
    });
    await act(() => hook.current.select('speaker-1'));
    expect(hook.current).toMatchObject({ volume: 0.3, isMuted: true, deviceId: 'speaker-1' });
  });
});

describe('useCamera and useScreen', () => {
  it('follow their device, with actions that stay the same and never reject', async () => {
    const hook = await renderHook(useCamera);
    const { transport, current } = hook;
    const actions = [current.enable, current.disable, current.toggle, current.setMuted, current.select];
    expect(current).toMatchObject({ status: 'off', isEnabled: false, isMuted: false, error: undefined });
    await act(current.toggle);
    expect(hook.current).toMatchObject({ status: 'live', isEnabled: true, deviceId: 'camera-1' });
    expect(hook.current.track).toBe(transport.published[1]!.track);
    await act(() => hook.current.setMuted(true));
    expect(hook.current).toMatchObject({ status: 'muted', isEnabled: true, isMuted: true });
    await act(current.toggle);
    expect(hook.current).toMatchObject({ status: 'off', isEnabled: false, isMuted: false, track: undefined });
    transport.media.refuse();
    await act(() => hook.current.enable({ show: true }));
    expect(hook.current).toMatchObject({ status: 'failed', error: { code: 'media/permission' } });
    const { enable, disable, toggle, setMuted, select } = hook.current;
    expect([enable, disable, toggle, setMuted, select]).toEqual(actions);
  });

  it('tell when the user stops to share the screen in the browser’s own bar', async () => {
    const hook = await renderHook(useScreen);
    await act(hook.current.toggle);
    expect(hook.current).toMatchObject({ status: 'live', isEnabled: true });
    await act(async () => {
      hook.transport.media.unplug('screen-1');
      await Promise.resolve();
    });
    expect(hook.current).toMatchObject({ status: 'off', isEnabled: false, error: undefined });
  });
});

describe('useVideo and <ParticipantVideo>', () => {
  it('show somebody while there is something to see, and let go of the element', async () => {
    const media = (element: HTMLVideoElement) => (element.srcObject as MediaStream | null)?.getVideoTracks() ?? null;
    function Ann({ name = 'ann' }: { name?: string }) {
      const isThere = useVideo({ participant: name }) !== undefined;
      return (
        <>
          <ParticipantVideo participant={name} className="ann" />
          {isThere ? 'on' : 'off'}
        </>
      );
    }
    const { transport, session, view } = await renderWithSession(<Ann />);
    const element = view.container.querySelector('video')!;
    expect([view.container.textContent, media(element), element.className, element.muted]).toEqual([
      'off',
      null,
      'ann',
      true,
    ]);
    const sent = transport.addTrack('ann', 'camera');
    await rest();
    expect([view.container.textContent, media(element)]).toEqual(['on', [sent.track]]);
    const show = (name: string) =>
      view.rerender(
        <SessionProvider session={session}>
          <Ann name={name} />
        </SessionProvider>,
      );
    act(() => show('bob'));
    const other = view.container.querySelector('video')!;
    expect([view.container.textContent, media(other)]).toEqual(['off', null]);
    act(() => show('ann'));
    expect(media(other)).toEqual([sent.track]);
    transport.removeTrack(sent.offer.consumerId);
    await rest();
    expect([view.container.textContent, media(other)]).toEqual(['off', null]);
    view.unmount();
    transport.addTrack('ann', 'camera');
    await rest();
    expect([media(element), media(other)]).toEqual([null, null]);
  });
});

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

function useSayAsAction() {
  const { say, ...state } = useSay();
  return { ...state, run: say };
}
function useAskAsAction() {
  const { ask, ...state } = useAsk();
  return { ...state, run: ask };
}

describe.each([
  { name: 'useSay', type: 'say', use: useSayAsAction, taken: { responseId: 'a' } },
  { name: 'useAsk', type: 'task.ask', use: useAskAsAction, taken: { taken: 'question', taskId: 't' } },
] as const)('$name', ({ type, use, taken }) => {
  it('is pending until all that was sent is answered, and has the same action in every render', async () => {
    const hook = await renderHook<ReturnType<typeof use>>(use);
    const answers: ((answer: typeof taken) => void)[] = [];
    hook.transport.answer(type, () => new Promise<typeof taken>((resolve) => answers.push(resolve)));
    const { run, isPending } = hook.current;
    expect(isPending).toBe(false);
    const outcomes: unknown[] = [];
    act(() => {
      for (const text of ['one', 'two']) void run(text).then((outcome) => outcomes.push(outcome));
    });
    await rest();
    expect([hook.current.isPending, answers.length]).toEqual([true, 2]);
    answers[0]!(taken);
    await rest();
    expect([hook.current.isPending, outcomes]).toEqual([true, [taken]]);
    answers[1]!(taken);
    await rest();
    expect([hook.current.isPending, outcomes]).toEqual([false, [taken, taken]]);
    expect(hook.current.run).toBe(run);
  });

  it('never rejects: the error is in its result, until the next call', async () => {
    const hook = await renderHook<ReturnType<typeof use>>(use, { connect: false });
    let outcome: unknown = 'none';
    act(() => void hook.current.run('hello').then((value) => (outcome = value)));
    await rest();
    expect([outcome, hook.current.isPending, hook.current.error?.code]).toEqual([undefined, false, 'net/closed']);
    await act(() => hook.session.connect());
    hook.transport.answer(type, () => taken);
    act(() => void hook.current.run('hello'));
    expect([hook.current.isPending, hook.current.error]).toEqual([true, undefined]);
    await rest();
    expect([hook.current.isPending, hook.current.error]).toEqual([false, undefined]);
  });
});

describe('useClientTool', () => {
  function Colours({ colour, description = 'Colours.' }: { colour: string; description?: string }) {
    useClientTool<{ to: string }>({
      name: 'colour',
      description,
      parameters: { type: 'object', properties: { to: { type: 'string' } } },
      execute: ({ to }) => `${colour} to ${to}`,
    });
    return null;
  }
  async function renderTool() {
    const stage = await renderWithSession(<Colours colour="red" />);
    await rest();
    const { transport, session, view } = stage;
    const show = async (children: ReactNode) => {
      act(() => view.rerender(<SessionProvider session={session}>{children}</SessionProvider>));
      await rest();
    };
    let calls = 0;
    const call = async () => {
      const callId = `c${++calls}`;
      act(
        () =>
          void transport.emit({ type: 'tool.call', callId, taskId: 't', name: 'colour', arguments: { to: 'blue' } }),
      );
      await rest();
      return transport.sentOf('tool.result').find((result) => result.callId === callId);
    };
    const offered = () => transport.sentOf('tools.register').map(({ tools }) => tools.map((tool) => tool.description));
    return { show, call, offered };
  }

  it('offers the function while its component is there', async () => {
    const { show, call, offered } = await renderTool();
    expect(offered().at(-1)).toEqual(['Colours.']);
    expect(await call()).toMatchObject({ output: 'red to blue' });
    await show(null);
    expect(offered().at(-1)).toEqual([]);
    expect(await call()).toMatchObject({ error: expect.stringContaining('no function') as unknown });
  });

  it('calls the newest function without offering it anew, and offers it anew when it is described otherwise', async () => {
    const { show, call, offered } = await renderTool();
    await show(<Colours colour="green" />);
    const before = offered().length;
    await show(<Colours colour="black" />);
    expect(await call()).toMatchObject({ output: 'black to blue' });
    expect(offered()).toHaveLength(before);
    await show(<Colours colour="black" description="Paints." />);
    expect(offered().at(-1)).toEqual(['Paints.']);
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

describe('useParticipants', () => {
  it('follows who is in the room', async () => {
    const hook = await renderHook(useParticipants);
    expect(hook.current).toMatchObject([{ identity: 'caller', isLocal: true, speaking: false }]);
    act(() => hook.transport.receive({ type: 'speakers.changed', speakers: ['caller'] }));
    expect(hook.current).toMatchObject([{ identity: 'caller', speaking: true }]);
  });
});
