import { afterEach, expect, it, vi } from 'vitest';
import { watchNetwork } from './network.js';

afterEach(() => vi.unstubAllGlobals());

it('tells of a device that is online again or on another kind of network, and not of estimates', () => {
  const connection = Object.assign(new EventTarget(), { type: 'wifi' });
  const window = new EventTarget();
  vi.stubGlobal('window', window);
  vi.stubGlobal('navigator', { connection });
  const changed = vi.fn<() => void>();
  const unwatch = watchNetwork(changed);
  connection.dispatchEvent(new Event('change'));
  expect(changed).not.toHaveBeenCalled();
  connection.type = 'cellular';
  connection.dispatchEvent(new Event('change'));
  connection.dispatchEvent(new Event('change'));
  window.dispatchEvent(new Event('online'));
  expect(changed).toHaveBeenCalledTimes(2);
  unwatch();
  connection.type = 'wifi';
  connection.dispatchEvent(new Event('change'));
  window.dispatchEvent(new Event('online'));
  expect(changed).toHaveBeenCalledTimes(2);
});

it('is nothing where there is no browser, and less where there is no such interface', () => {
  watchNetwork(() => expect.unreachable())();
  vi.stubGlobal('window', new EventTarget());
  vi.stubGlobal('navigator', {});
  watchNetwork(() => undefined)();
});
