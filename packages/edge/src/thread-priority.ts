import { readlinkSync } from 'node:fs';
import { setPriority } from 'node:os';
import { basename } from 'node:path';

const NICENESS = -10;

/**
 * Puts the calling thread, and the processes that it starts, before the others of this machine: for threads with a
 * deadline. Where more is ready to run than there are cores, what a step waits for one is many times what it takes.
 *
 * Linux allows it to root, with CAP_SYS_NICE or within RLIMIT_NICE; elsewhere threads have no niceness of their own.
 * @returns whether it was allowed
 */
export function favourThread(): boolean {
  try {
    setPriority(Number(basename(readlinkSync('/proc/thread-self'))), NICENESS);
    return true;
  } catch {
    return false;
  }
}
