import { homedir } from 'node:os';
import { join } from 'node:path';

/** Where a user's programs keep what they made themselves and want to find again. */
export function defaultStateFolder({ env = process.env, platform = process.platform, home = homedir() } = {}): string {
  const base =
    env['XDG_STATE_HOME'] ||
    (platform === 'win32' && env['LOCALAPPDATA']) ||
    join(home, platform === 'darwin' ? 'Library/Application Support' : '.local/state');
  return join(base, 'microturn');
}
