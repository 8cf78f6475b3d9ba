import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import type { Bundle } from './bundle.js';
import { tinyDecoder } from './fixtures/decoder-bundle.js';
import { openGraphOn } from './graph.js';

const runtime = dirname(createRequire(import.meta.url).resolve('onnxruntime-node/package.json'));
const hasCuda = existsSync(
  join(runtime, `bin/napi-v6/${process.platform}/${process.arch}/libonnxruntime_providers_cuda.so`),
);

describe('openGraphOn', () => {
  let bundle: Bundle;
  beforeAll(async () => {
    bundle = await tinyDecoder();
  });

  it('takes the CPU by itself for a small bundle', async () => {
    const graph = await openGraphOn(bundle, 'auto');
    expect(graph.provider).toBe('cpu');
    await graph.close();
  });

  it.skipIf(hasCuda)('says what is missing where CUDA is asked for and not installed, and what to do', async () => {
    await expect(openGraphOn(bundle, 'cuda')).rejects.toMatchObject({
      code: 'engine/provider',
      retryable: false,
      message: expect.stringMatching(/cuda: .*[Ll]oad.*library/s),
      hint: expect.stringContaining('docs/gpu.md'),
    });
  });
});
