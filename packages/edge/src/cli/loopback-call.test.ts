import { expect, it } from 'vitest';
import { parseConfig, storeFile } from '../config.js';
import { resolveRecipes } from '../recipes/index.js';
import { forItself } from './loopback-call.js';

it('the edge of a loopback call is this machine’s alone, whatever the configuration says', () => {
  const config = parseConfig({
    keys: { app: 'a-secret-that-is-long-enough-for-a-key' },
    webhooks: { urls: ['https://app.example.com/hook'], key: 'app' },
    store: { kind: 'disk', folder: '/var/lib/microturn' },
    recipes: { mine: { llm: { baseUrl: 'http://127.0.0.1:9/v1', model: 'm' } } },
    recipe: 'mine',
  });
  const own = parseConfig(forItself(config));
  expect(own).toMatchObject({ host: '127.0.0.1', port: 0, webhooks: { urls: [] } });
  expect(own.keys).not.toHaveProperty('app');
  expect(storeFile(own)).toBeUndefined();
  // The recipes are there, so that a key that is missing is told; who calls without a name talks with the bundle.
  expect(resolveRecipes(own)).toMatchObject({ first: undefined, byName: new Map([['mine', expect.anything()]]) });
});
