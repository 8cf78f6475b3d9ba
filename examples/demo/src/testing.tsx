import { SessionProvider } from '@microturn/react';
import { createSession, type InteractionSession } from '@microturn/sdk';
import { ManualClock, scriptedTransport, settled, type ScriptedTransport } from '@microturn/sdk/testing';
import { act, StrictMode, type ReactNode } from 'react';
import { createRoot } from 'react-dom/client';

Object.assign(globalThis, { IS_REACT_ACT_ENVIRONMENT: true });

export interface Stage {
  readonly session: InteractionSession;
  readonly transport: ScriptedTransport;
  readonly page: HTMLElement;
}

/** Shows a part of the page on a document of jsdom, in a call whose other end is the test. */
export async function show(part: ReactNode): Promise<Stage> {
  const transport = scriptedTransport();
  const session = createSession({ url: 'http://edge', token: 'token', transport, clock: new ManualClock() });
  await session.connect();
  const page = render(<SessionProvider session={session}>{part}</SessionProvider>);
  return { session, transport, page };
}

export function render(part: ReactNode): HTMLElement {
  const page = document.createElement('div');
  document.body.replaceChildren(page);
  act(() => createRoot(page).render(<StrictMode>{part}</StrictMode>));
  return page;
}

/** Lets React and the promises that are under way come to rest. */
export function rest(): Promise<void> {
  return act(settled);
}

/** As a user types, or chooses: React listens for what the browser then says. */
export function enter(field: HTMLInputElement | HTMLSelectElement, value: string): void {
  const { set } = Object.getOwnPropertyDescriptor(Object.getPrototypeOf(field) as object, 'value') ?? {};
  act(() => {
    set?.call(field, value);
    field.dispatchEvent(new Event(field instanceof HTMLSelectElement ? 'change' : 'input', { bubbles: true }));
  });
}
