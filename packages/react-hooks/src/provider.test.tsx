// @vitest-environment jsdom
import { createSession, type InteractionSession, type SessionOptions } from '@microturn/sdk';
import { scriptedTransport } from '@microturn/sdk/testing';
import { cleanup, render } from '@testing-library/react';
import { Activity, StrictMode, type ReactNode } from 'react';
import { renderToString } from 'react-dom/server';
import { afterEach, describe, expect, it, vi } from 'vitest';
import {
  SessionProvider,
  useAgentState,
  useClientTool,
  useConnection,
  useMicrophone,
  useSession,
  useSpeaker,
  useTranscript,
} from './index.js';
import { rest } from './testing.js';

afterEach(cleanup);

function setUp() {
  const transport = scriptedTransport();
  const options: SessionOptions = { url: 'http://edge', token: 'token', transport };
  const seen: InteractionSession[] = [];
  function Probe() {
    seen.push(useSession());
    return <p>{useConnection().status}</p>;
  }
  return { transport, options, seen, Probe };
}

describe('<SessionProvider> of plain JavaScript', () => {
  it.each([
    ['neither', {}],
    ['both', { options: setUp().options, session: createSession(setUp().options) }],
  ])('says that it needs a session or options where it has %s', (got, props) => {
    const Provider = SessionProvider as unknown as (props: object) => ReactNode;
    const logged = vi.spyOn(console, 'error').mockImplementation(() => undefined);
    expect(() => render(<Provider {...props}>nothing</Provider>)).toThrow(
      new TypeError(`<SessionProvider>: expected \`options\` or a \`session\`, got ${got}`),
    );
    logged.mockRestore();
  });

  it('leaves a session that is closed as it is, whatever it is to connect', async () => {
    const { options, transport, seen, Probe } = setUp();
    const session = createSession(options);
    await session.close();
    const view = render(
      <SessionProvider session={session} connect>
        <Probe />
      </SessionProvider>,
    );
    await rest();
    expect([view.container.textContent, transport.opened]).toEqual(['closed', 0]);
    expect(seen.at(-1)?.connection.value).toEqual({ status: 'closed' });
  });
});

describe('<SessionProvider options>', () => {
  it('makes one call in StrictMode, and closes it a tick after the last unmount', async () => {
    const { transport, options, seen, Probe } = setUp();
    const view = render(
      <StrictMode>
        <SessionProvider options={options} connect>
          <Probe />
        </SessionProvider>
      </StrictMode>,
    );
    await rest();
    expect(view.container.textContent).toBe('connected');
    expect([transport.opened, transport.openSockets]).toEqual([1, 1]);
    view.unmount();
    expect(transport.openSockets).toBe(1);
    await rest();
    expect([transport.openSockets, seen.at(-1)?.closed]).toEqual([0, true]);
    expect(transport.media.opened.every((track) => track.readyState === 'ended')).toBe(true);
  });

  it('connects nothing until it is asked to', async () => {
    const { transport, options, Probe } = setUp();
    const view = render(
      <SessionProvider options={options}>
        <Probe />
      </SessionProvider>,
    );
    await rest();
    expect([view.container.textContent, transport.opened, transport.media.opened.length]).toEqual(['idle', 0, 0]);
  });

  it('keeps its session from render to render, whatever options are passed', async () => {
    const { options, seen, Probe } = setUp();
    const ui = () => (
      <SessionProvider options={{ ...options }}>
        <Probe />
      </SessionProvider>
    );
    const view = render(ui());
    view.rerender(ui());
    expect(new Set(seen).size).toBe(1);
  });

  it('begins another session when it is shown again after it was hidden', async () => {
    const { transport, options, seen, Probe } = setUp();
    const ui = (mode: 'visible' | 'hidden') => (
      <Activity mode={mode}>
        <SessionProvider options={options} connect>
          <Probe />
        </SessionProvider>
      </Activity>
    );
    const view = render(ui('visible'));
    await rest();
    view.rerender(ui('hidden'));
    await rest();
    expect(transport.openSockets).toBe(0);
    view.rerender(ui('visible'));
    await rest();
    expect([transport.opened, transport.openSockets, view.container.textContent]).toEqual([2, 1, 'connected']);
    expect(new Set(seen).size).toBe(2);
  });

  it('offers the functions of its components to the other session, when it is shown again', async () => {
    const { transport, options } = setUp();
    function Tool() {
      useClientTool({ name: 'cart', description: 'The cart.', parameters: { type: 'object' }, execute: () => 'empty' });
      return null;
    }
    const ui = (mode: 'visible' | 'hidden') => (
      <Activity mode={mode}>
        <SessionProvider options={options} connect>
          <Tool />
        </SessionProvider>
      </Activity>
    );
    const view = render(ui('visible'));
    await rest();
    view.rerender(ui('hidden'));
    await rest();
    view.rerender(ui('visible'));
    await rest();
    expect(transport.opened).toBe(2);
    expect(transport.sentOf('tools.register').map(({ tools }) => tools.map(({ name }) => name))).toEqual([
      ['cart'],
      [],
      ['cart'],
    ]);
  });

  it('shows the failure of a call that it began', async () => {
    const { transport, options, Probe } = setUp();
    transport.media.refuse();
    const view = render(
      <SessionProvider options={options} connect>
        <Probe />
      </SessionProvider>,
    );
    await rest();
    expect(view.container.textContent).toBe('failed');
  });
});

describe('<SessionProvider session>', () => {
  it('leaves the session of the app to the app', async () => {
    const { options, Probe } = setUp();
    const session = createSession(options);
    const view = render(
      <StrictMode>
        <SessionProvider session={session}>
          <Probe />
        </SessionProvider>
      </StrictMode>,
    );
    view.unmount();
    await rest();
    expect(session.closed).toBe(false);
  });
});

describe('on a server', () => {
  function Everything() {
    const { status } = useConnection();
    const { isMuted } = useMicrophone();
    const { isBlocked } = useSpeaker();
    const speaking = useAgentState((state) => state.speaking);
    return <p>{JSON.stringify([status, isMuted, isBlocked, speaking, useTranscript()])}</p>;
  }
  const ui = (options: SessionOptions) => (
    <SessionProvider options={options} connect>
      <Everything />
    </SessionProvider>
  );

  it('renders the idle state, opens nothing, and hydrates without a mismatch', async () => {
    const { transport, options } = setUp();
    const html = renderToString(ui(options));
    expect(html).toContain('idle');
    expect([transport.opened, transport.media.opened.length]).toEqual([0, 0]);

    const container = document.createElement('div');
    container.innerHTML = html;
    const problems: unknown[] = [];
    const onRecoverableError = (error: unknown) => problems.push(error);
    const view = render(ui(options), { container, hydrate: true, onRecoverableError });
    await rest();
    expect(problems).toEqual([]);
    expect(container.textContent).toContain('connected');
    view.unmount();
    await rest();
    expect(transport.openSockets).toBe(0);
  });
});

describe('useSession', () => {
  it('says what it expected where there is no provider', () => {
    function Lost() {
      useSession();
      return null;
    }
    expect(() => renderToString(<Lost />)).toThrow('expected a <SessionProvider>');
  });
});
