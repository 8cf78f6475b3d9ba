import { readFileSync, readdirSync } from 'node:fs';

/** CPU that a process and its children have taken, ms, of all threads that live; undefined where the system keeps no account (Linux does). */
export function cpuTimeMs(pid: number): number | undefined {
  try {
    let ms = 0;
    for (const task of readdirSync(`/proc/${pid}/task`)) {
      ms += Number(readFileSync(`/proc/${pid}/task/${task}/schedstat`, 'utf8').split(' ')[0]) / 1e6;
      const children = readFileSync(`/proc/${pid}/task/${task}/children`, 'utf8').split(' ').filter(Boolean);
      for (const child of children) ms += cpuTimeMs(Number(child)) ?? 0;
    }
    return ms;
  } catch {
    return undefined;
  }
}
