import { describe, expect, test } from 'vitest';
import { withQuietLog } from './quiet-log.mjs';

describe('the log of `npm start`', () => {
  test('tells what is wrong, and no more', () => {
    const env = { PATH: '/bin' };
    expect(withQuietLog(env, ['--port', '8080'])).toEqual({ ...env, MICROTURN_LOG_LEVEL: 'warn' });
  });

  test.each([
    [{ MICROTURN_LOG_LEVEL: 'info' }, []],
    [{ MICROTURN_CONFIG: 'edge.yaml' }, []],
    [{}, ['--config', 'edge.yaml']],
    [{}, ['--config=edge.yaml']],
    [{}, ['-c', 'edge.yaml']],
  ])('is as it is asked for by %j and %j', (env, args) => expect(withQuietLog(env, args)).toEqual(env));
});
