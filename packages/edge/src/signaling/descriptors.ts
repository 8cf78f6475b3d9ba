import { readFileSync, readdirSync } from 'node:fs';

/** Kept for everything but callers: a worker that is started again, a file that is read, whoever is told to go away. */
const RESERVE = 48;
/** Also where there is next to nothing: who runs an edge like this is to see it refuse rather than not start. */
const LEAST = 4;

/**
 * How many sockets this process can open before it is out of file descriptors; Infinity where the system does not tell
 * (anywhere but Linux) or sets no limit.
 */
export function spareDescriptors(proc = '/proc/self'): number {
  try {
    const limits = readFileSync(`${proc}/limits`, 'utf8');
    const limit = /^Max open files\s+(\d+)/m.exec(limits)?.[1];
    if (limit === undefined) return Infinity;
    return Math.max(LEAST, Number(limit) - readdirSync(`${proc}/fd`).length - RESERVE);
  } catch {
    return Infinity;
  }
}
