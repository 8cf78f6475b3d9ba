import { readlinkSync } from 'node:fs';
import { getPriority, setPriority } from 'node:os';
import { basename } from 'node:path';

const FAVOURED = -10;
/** A third of the share of the others, where there are not cores for all of them. */
const BEHIND = 5;
const LAST = 19;

/**
 * Puts the calling thread, and the processes that it starts, before the others of this machine: for threads with a
 * deadline. Where more is ready to run than there are cores, what a step waits for one is many times what it takes.
 *
 * Linux allows it to root, with CAP_SYS_NICE or within RLIMIT_NICE; elsewhere threads have no niceness of their own.
 * @returns whether it was allowed
 */
export function favourThread(): boolean {
  return setNiceness(() => FAVOURED);
}

/**
 * Puts the calling thread behind the others of its process: for work that no micro-turn waits for. Where cores are short it
 * runs less often, and does at once what has come meanwhile. Linux allows it to everybody.
 * @returns whether threads have a niceness of their own here
 */
export function yieldThread(): boolean {
  return setNiceness((niceness) => Math.min(LAST, niceness + BEHIND));
}

function setNiceness(change: (niceness: number) => number): boolean {
  try {
    const thread = Number(basename(readlinkSync('/proc/thread-self')));
    setPriority(thread, change(getPriority(thread)));
    return true;
  } catch {
    return false;
  }
}
