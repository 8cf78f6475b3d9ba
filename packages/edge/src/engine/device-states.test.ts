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

const nano = new URL('../../../../models/nano/bundle/', import.meta.url).pathname;

/** Chromium's package carries a software adapter for Vulkan, and a loader that finds it: slow, and right. */
const chromium = '/usr/lib/chromium';
const hasAdapter = existsSync(join(chromium, 'vk_swiftshader_icd.json'));

describe('DeviceStates', () => {
  it.skipIf(!hasAdapter)(
    `decides on WebGPU as on the CPU, also for rows that sit out, begin anew or fail${hasAdapter ? '' : ` (no software adapter in ${chromium})`}`,
    async () => {
      const program = await bundledThread(new URL('./fixtures/webgpu-parity.ts', import.meta.url));
      const runtimeDir = await mkdtemp(join(tmpdir(), 'microturn-xdg-'));
      try {
        const { stdout } = await promisify(execFile)(process.execPath, [fileURLToPath(program.url), nano], {
          env: {
            ...process.env,
            LD_LIBRARY_PATH: [chromium, process.env['LD_LIBRARY_PATH']].filter(Boolean).join(':'),
            VK_ICD_FILENAMES: join(chromium, 'vk_swiftshader_icd.json'),
            XDG_RUNTIME_DIR: runtimeDir,
          },
          timeout: 110_000,
        });
        const { masks, ring, model } = JSON.parse(stdout) as Record<'masks' | 'ring' | 'model', Parity>;
        for (const parity of [masks, ring, model]) expect(parity).toMatchObject({ disagreements: 0, mutedApart: 0 });
        expect(masks.maxDifference).toBeLessThan(1e-5);
        expect(ring.maxDifference).toBeLessThan(1e-4);
        expect(model.maxDifference).toBeLessThan(1e-4);
      } finally {
        await program.remove();
        await rm(runtimeDir, { recursive: true });
      }
    },
    120_000,
  );
});
