import { homedir } from 'node:os';
import { join } from 'node:path';
import * as v from 'valibot';

/** A file or folder of the configuration. `~/` in front is this user's home: no shell has been over a file of YAML. */
export const FilePath = v.pipe(
  v.string(),
  v.minLength(1),
  v.transform((path) => (path === '~' || path.startsWith('~/') ? join(homedir(), path.slice(1)) : path)),
);
