// @vitest-environment jsdom
import { act, cleanup } from '@testing-library/react';
import type { ReactNode } from 'react';
import { afterEach, describe, expect, it } from 'vitest';
import { useAsk, useClientTool, useSay } from './index.js';
import { SessionProvider } from './provider.js';
import { renderHook, renderWithSession, rest } from './testing.js';

afterEach(cleanup);

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
