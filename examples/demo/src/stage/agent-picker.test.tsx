// @vitest-environment jsdom
import { scriptedTransport } from '@microturn/sdk/testing';
import { act } from 'react';
import { afterEach, expect, it, vi } from 'vitest';
import { App } from '../app.js';
import { enter, render, rest } from '../testing.js';

afterEach(() => {
  vi.unstubAllGlobals();
});

it('keeps the keyboard’s focus where another agent is chosen, which is another session, and does not take it again', async () => {
  const nothing = () => undefined;
  vi.stubGlobal(
    'ResizeObserver',
    class {
      observe = nothing;
      disconnect = nothing;
    },
  );
  vi.stubGlobal('fetch', () => Promise.resolve(Response.json({ recipes: ['nano', 'pipeline'] })));
  const page = render(<App mode="listen" options={{ token: 'token', transport: scriptedTransport() }} />);
  await rest();
  const before = page.querySelector('select')!;
  expect(document.activeElement).toBe(document.body);
  before.focus();
  enter(before, 'pipeline');
  await rest();
  const after = page.querySelector('select')!;
  expect([after === before, after.value, document.activeElement === after]).toEqual([false, 'pipeline', true]);

  // In a call the picker is behind a fold: it is another one then, and another again after it.
  const button = page.querySelector<HTMLButtonElement>('.buttons button')!;
  button.focus();
  act(() => button.click());
  await rest();
  expect(page.querySelector('details')?.contains(page.querySelector('select'))).toBe(true);
  act(() => button.click());
  await rest();
  expect([page.querySelector('details select'), document.activeElement === button]).toEqual([null, true]);
});
