import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { bundledThread } from './fixtures/bundled-thread.js';
import type { Parity } from './fixtures/webgpu-parity.js';
import type { SetBack } from './fixtures/webgpu-set-back.js';

const nano = new URL('../../../../models/nano/bundle/', import.meta.url).pathname;

/** Chromium's package carries a software adapter for Vulkan, and a loader that finds it: slow, and right. */
const chromium = '/usr/lib/chromium';
const hasAdapter = existsSync(join(chromium, 'vk_swiftshader_icd.json'));

/** Runs a program on the software adapter, which is chosen by its environment. @returns what it prints, as JSON */
async function onAdapter(entry: string, ...args: string[]): Promise<unknown> {
  const program = await bundledThread(new URL(entry, import.meta.url));
  const runtimeDir = await mkdtemp(join(tmpdir(), 'microturn-xdg-'));
  try {
    const { stdout } = await promisify(execFile)(process.execPath, [fileURLToPath(program.url), ...args], {
      env: {
        ...process.env,
        LD_LIBRARY_PATH: [chromium, process.env['LD_LIBRARY_PATH']].filter(Boolean).join(':'),
        VK_ICD_FILENAMES: join(chromium, 'vk_swiftshader_icd.json'),
        XDG_RUNTIME_DIR: runtimeDir,
      },
      timeout: 280_000,
    });
    return JSON.parse(stdout);
  } finally {
    await program.remove();
    await rm(runtimeDir, { recursive: true });
  }
}

const unless = hasAdapter ? '' : ` (no software adapter in ${chromium})`;

describe.skipIf(!hasAdapter)(`on WebGPU${unless}`, () => {
  it('decides as on the CPU, also for rows that sit out, begin anew or fail', async ({ annotate }) => {
    const { masks, ring, model } = (await onAdapter('./fixtures/webgpu-parity.ts', nano)) as Record<string, Parity>;
    await annotate(`WebGPU against the CPU: ${JSON.stringify({ masks, ring, model })}`);
    for (const parity of [masks, ring, model]) expect(parity).toMatchObject({ disagreements: 0, mutedApart: 0 });
    expect(masks!.maxDifference).toBeLessThan(1e-5);
    expect(ring!.maxDifference).toBeLessThan(1e-4);
    expect(model!.maxDifference).toBeLessThan(1e-4);
  }, 290_000);

  it('fault 27: a row whose thread or device is lost hears again what it heard', async () => {
    const { thread, device } = (await onAdapter('./fixtures/webgpu-set-back.ts')) as Record<string, SetBack>;
    // Of 14 and of 13 micro-turns of 40 ms: one is lost with the device.
    expect([thread!.recovery, device!.recovery]).toEqual([{ replayedMs: 14 * 40 }, { replayedMs: 13 * 40 }]);
    for (const [undisturbed, after] of thread!.confidences) expect(after).toBeCloseTo(undisturbed, 4);
    expect(device!.confidences.every(([, after]) => after > 0)).toBe(true);
  }, 290_000);
});
