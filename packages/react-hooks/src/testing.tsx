import { createSession, type InteractionSession } from '@microturn/sdk';
import { ManualClock, scriptedTransport, settled, type ScriptedTransport } from '@microturn/sdk/testing';
import { act, render, type RenderResult } from '@testing-library/react';
import { StrictMode, type ReactNode } from 'react';
import { SessionProvider } from './provider.js';

export interface Stage {
  readonly session: InteractionSession;
  readonly transport: ScriptedTransport;
  readonly clock: ManualClock;
  readonly view: RenderResult;
}

/** Renders below a provider, in StrictMode, with a session whose other end is the test. */
export async function renderWithSession(children: ReactNode, { connect = true } = {}): Promise<Stage> {
  const clock = new ManualClock();
  const transport = scriptedTransport();
  const session = createSession({ url: 'http://edge', token: 'token', transport, clock });
  if (connect) await session.connect();
  const view = render(
    <StrictMode>
      <SessionProvider session={session}>{children}</SessionProvider>
    </StrictMode>,
  );
  return { session, transport, clock, view };
}

/** Lets React and the promises that are under way come to rest. */
export function rest(): Promise<void> {
  return act(settled);
}

/** Renders a hook, and keeps what each render gave. */
export async function renderHook<T>(use: () => T, options?: { connect?: boolean }) {
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

export const started = (responseId = 'a') =>
  ({ type: 'response.started', responseId, kind: 'reply', audience: 'room' }) as const;
export const word = (text: string, endMs: number) =>
  ({ type: 'transcript.word', participant: 'caller', text, endMs, confidence: 1, final: true }) as const;
export const speaking = { type: 'floor.changed', participant: 'caller', floor: 'speaking', confidence: 0.8 } as const;
