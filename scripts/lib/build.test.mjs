import { expect, test } from 'vitest';
import { explain } from './build.mjs';
import { CommandError } from './run.mjs';

test('a build that could not begin is no fault of the code, and says what is missing', () => {
  const { message, fix } = explain(new CommandError('turbo run build', 'could not be started (ENOENT)', []));
  expect(message).toBe('the build failed\n`turbo run build`: could not be started (ENOENT)');
  expect(fix).toContain('npm ci --include=dev');
});

test('a build that fails says how, and in whose words', () => {
  const tail = ['@microturn/a:build: a.ts(1,1): error', 'Failed:    @microturn/a#build'];
  const { message, fix } = explain(new CommandError('turbo run build', 'exit code 2', tail));
  expect(message).toBe('the build failed\n`turbo run build`: exit code 2\n@microturn/a:build: a.ts(1,1): error');
  expect(fix).toContain('correct the code');
});
