import { expect, it } from 'vitest';
import { parseConfig } from '../config.js';
import { loopbackConfig } from './loopback-call.js';

it('the loopback call tells no server of its room, and talks with the bundle alone, whatever is configured', () => {
  const config = parseConfig({
    keys: { app: 'x'.repeat(32) },
    webhooks: { urls: ['https://app.example/hooks'], key: 'app' },
    recipe: 'ollama',
  });
  expect(parseConfig(loopbackConfig(config))).toMatchObject({ webhooks: { urls: [] }, recipe: 'nano' });
});
