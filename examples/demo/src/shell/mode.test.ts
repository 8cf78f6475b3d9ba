import { describe, expect, it } from 'vitest';
import { hrefOf, modeOf } from './mode.js';

describe('a link to another mode', () => {
  it('leads to that mode, in the same room and with the same name', () => {
    for (const from of ['', '?listen', '?scripted&room=den', '?room=the+kitchen&name=Ann&listen']) {
      for (const mode of ['live', 'listen', 'example'] as const) {
        const { search } = new URL(hrefOf(mode, from), 'http://edge/');
        expect(modeOf(search)).toBe(mode);
        for (const key of ['room', 'name']) {
          expect(new URLSearchParams(search).get(key)).toBe(new URLSearchParams(from).get(key));
        }
      }
    }
  });
});
