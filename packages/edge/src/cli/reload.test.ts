import { MicroturnError } from '@microturn/protocol';
import { describe, expect, it, vi } from 'vitest';
import { parseConfig } from '../config.js';
import { reload } from './reload.js';

describe('SIGHUP', () => {
  const read = () => parseConfig({ engine: { bundle: '/models/two' } });
  const edgeOf = (parts = {}) => ({
    swapModel: vi.fn().mockResolvedValue(undefined),
    renewCertificate: vi.fn().mockResolvedValue(false),
    ...parts,
  });

  it('swaps in the model that the configuration names now', async () => {
    const [edge, say] = [edgeOf(), vi.fn()];
    await reload({ read, edge, say });
    expect(edge.swapModel).toHaveBeenCalledExactlyOnceWith('/models/two');
    expect(say).toHaveBeenCalledExactlyOnceWith(expect.stringContaining('/models/two'));
  });

  it('says what is wrong with a bundle or a configuration, and changes nothing', async () => {
    const say = vi.fn();
    const edge = edgeOf({ swapModel: vi.fn().mockRejectedValue(new MicroturnError('bundle/hash', 'step.onnx')) });
    await reload({ read, edge, say });
    await reload({
      read: () => {
        throw new MicroturnError('edge/config', 'port: 70000');
      },
      edge,
      say,
    });
    expect(edge.swapModel).toHaveBeenCalledOnce();
    expect(say.mock.calls.flat()).toEqual([
      expect.stringMatching(/model was not changed.*step\.onnx/),
      expect.stringMatching(/model was not changed.*70000/),
    ]);
  });

  it('takes a renewed certificate, and a broken one stops nothing else', async () => {
    const say = vi.fn();
    const renewCertificate = vi
      .fn()
      .mockResolvedValueOnce(true)
      .mockRejectedValueOnce(new MicroturnError('edge/config', 'https.key: b.pem is not the key of a.pem'));
    const edge = edgeOf({ renewCertificate });
    await reload({ read, edge, say });
    await reload({ read, edge, say });
    expect(edge.swapModel).toHaveBeenCalledTimes(2);
    expect(say.mock.calls.flat()).toEqual([
      expect.stringContaining('shown the certificate as it is now'),
      expect.stringContaining('/models/two'),
      expect.stringMatching(/certificate was not changed.*b\.pem/),
      expect.stringContaining('/models/two'),
    ]);
  });
});
