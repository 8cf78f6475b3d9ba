import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { cpus, getPriority, loadavg, release, totalmem } from 'node:os';
import { dirname, join } from 'node:path';
import { findChromium } from '../../test/call/chromium.js';
import { root } from '../../test/support/root.js';
import { median } from './stats.js';

/** What every figure says of where it was taken. */
export function machineConditions(): Record<string, unknown> {
  return {
    machine: `${cpus()[0]?.model.trim() ?? 'unknown CPU'}, ${cpus().length} cores, ${Math.round(totalmem() / 2 ** 30)} GiB, ${process.platform} ${release()}`,
    versions: versions(),
    git: gitState(),
    priority: priority(),
  };
}

/** Niceness, and on Linux that of the whole session, which counts for more where sessions are scheduled as groups. */
function priority(): string {
  const group = existsSync('/proc/self/autogroup') && /nice (-?\d+)/.exec(readFileSync('/proc/self/autogroup', 'utf8'));
  return `nice ${getPriority()}${group ? `, session ${group[1]}` : ''}`;
}

/** How much else the machine has to do. */
export class Noise {
  readonly #load = loadavg()[0]!;
  readonly #before = contention();

  /** Load averages, and contention, before and after. */
  read(): Record<string, unknown> {
    return { load: [this.#load, loadavg()[0]!], contention: [this.#before, contention()] };
  }
}

/** How fast memory is copied that no cache holds, by the median of a few copies. A copy reads and writes. */
export function copyMsPerByte(): number {
  const [from, to] = [Buffer.alloc(256 << 20, 1), Buffer.alloc(256 << 20, 2)];
  const copyMs = Array.from({ length: 7 }, () => {
    const startMs = performance.now();
    from.copy(to);
    return performance.now() - startMs;
  });
  return median(copyMs) / from.length;
}

/** Wall time over CPU time of a loop that spins for 0.2 s: 1 is a core to itself. */
export function contention(): number {
  const startMs = performance.now();
  const startCpu = process.cpuUsage();
  while (performance.now() - startMs < 200);
  const { user, system } = process.cpuUsage(startCpu);
  return Math.round(((performance.now() - startMs) / ((user + system) / 1000)) * 100) / 100;
}

function versions(): Record<string, string> {
  const packages = ['onnxruntime-node', 'mediasoup', '@roamhq/wrtc', 'mediasoup-client'];
  const found = packages.flatMap((name) => {
    const version = versionOf(name);
    return version === undefined ? [] : [[name, version] as const];
  });
  return { node: process.version, ...Object.fromEntries(found), ...chromiumVersion() };
}

/** By the folder, since not every package exports its package.json. */
function versionOf(name: string): string | undefined {
  const require = createRequire(join(root, 'packages/edge/package.json'));
  try {
    let folder = dirname(require.resolve(name));
    while (!folder.endsWith(join('node_modules', name))) {
      if (folder === dirname(folder)) return undefined;
      folder = dirname(folder);
    }
    return (JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as { version: string }).version;
  } catch {
    return undefined;
  }
}

function chromiumVersion(): { chromium?: string } {
  try {
    const version = /[\d.]{5,}/.exec(
      execFileSync(findChromium(), ['--version'], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }),
    );
    return version ? { chromium: version[0] } : {};
  } catch {
    return {};
  }
}

function gitState(): string {
  const git = (...args: string[]) =>
    execFileSync('git', args, { cwd: root, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim();
  try {
    return `${git('rev-parse', '--short', 'HEAD')}${git('status', '--porcelain') === '' ? '' : ' with changes'}`;
  } catch {
    return 'unknown';
  }
}
