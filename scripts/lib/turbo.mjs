import { join } from 'node:path';
import { root } from './root.mjs';

export const turbo = join(root, 'node_modules/.bin/turbo');

/** It builds; it need not tell anybody. */
export const turboEnv = { TURBO_TELEMETRY_DISABLED: '1', TURBO_NO_UPDATE_NOTIFIER: '1' };
