import { readFileSync, readdirSync } from 'node:fs';

/** What Linux knows of a process, by its thread ids. Elsewhere these throw. */

/** Of each thread that lives: the time it ran, and the time it was ready to run and waited for a core, ms. */
export function threadTimes(pid: number): ReadonlyMap<number, { readonly cpuMs: number; readonly waitMs: number }> {
  const folder = `/proc/${pid}/task`;
  return new Map(
    readdirSync(folder).flatMap((tid) => {
      const [ran, waited] = tryRead(`${folder}/${tid}/schedstat`)?.split(' ') ?? [];
      if (ran === undefined) return [];
      return [[Number(tid), { cpuMs: Number(ran) / 1e6, waitMs: Number(waited) / 1e6 }] as const];
    }),
  );
}

/** CPU time of each thread that lives, ms. */
export function threadCpuMs(pid: number): ReadonlyMap<number, number> {
  return new Map([...threadTimes(pid)].map(([tid, { cpuMs }]) => [tid, cpuMs]));
}

export function cpuMs(pid: number): number {
  return [...threadCpuMs(pid).values()].reduce((sum, ms) => sum + ms, 0);
}

/** Resident memory, bytes. */
export function rssBytes(pid: number): number {
  const kilobytes = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
  if (kilobytes === undefined) throw new Error(`process ${pid} has no resident memory`);
  return Number(kilobytes) * 1024;
}

export function childPids(pid: number): number[] {
  const lists = readdirSync(`/proc/${pid}/task`).map((tid) => tryRead(`/proc/${pid}/task/${tid}/children`) ?? '');
  return lists.join(' ').split(/\s+/).filter(Boolean).map(Number);
}

function tryRead(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
}
