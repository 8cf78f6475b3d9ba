// @vitest-environment jsdom
import type { MicroturnError } from '@microturn/sdk';
import { act } from 'react';
import { expect, it } from 'vitest';
import { AskPanel } from '../asking/ask-panel.js';
import { enter, rest, show } from '../testing.js';
import { SayBox } from './say-box.js';

it.each(['Ask', 'Say'])('“%s”: while the call reconnects its field keeps the focus and what is typed', async (name) => {
  const problems: string[] = [];
  const onProblem = ({ code }: MicroturnError) => void problems.push(code);
  const { transport, page } = await show(
    name === 'Ask' ? <AskPanel isUp onProblem={onProblem} /> : <SayBox onProblem={onProblem} />,
  );
  const [field, button] = [page.querySelector('input')!, page.querySelector('button')!];
  field.focus();
  enter(field, 'some');
  expect(button.getAttribute('aria-disabled')).toBe('false');
  act(() => transport.drop());
  expect([field.disabled, document.activeElement]).toEqual([false, field]);
  expect([button.disabled, button.getAttribute('aria-disabled')]).toEqual([false, 'true']);
  enter(field, 'some more');
  act(() => field.form!.requestSubmit());
  await rest();
  expect([problems, field.value]).toEqual([['net/closed'], 'some more']);
});
