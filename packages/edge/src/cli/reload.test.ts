import { MicroturnError } from '@microturn/protocol';
import { describe, expect, it, vi } from 'vitest';
import { parseConfig } from '../config.js';
import { reload } from './reload.js';

describe('SIGHUP', () => {
  const read = () => parseConfig({ engine: { bundle: '/models/two' } });
  const edgeOf = (parts = {}) => ({
    swapModel: vi.fn().mockResolvedValue(undefined),
    renewCertificate: vi.fn().mockResolvedValue(false),
    changeKeys: vi.fn().mockResolvedValue(0),
    ...parts,
  });

  it('swaps in the model that the configuration names now', async () => {
    const [edge, say] = [edgeOf(), vi.fn()];
    await reload({ read, edge, say });
    expect(edge.swapModel).toHaveBeenCalledExactlyOnceWith('/models/two');
    expect(say).toHaveBeenLastCalledWith(expect.stringContaining('/models/two'));
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
      expect.stringContaining('tokens of 0 keys'),
      expect.stringMatching(/model was not changed.*step\.onnx/),
      expect.stringMatching(/keys and model were not changed.*70000/),
    ]);
  });

  it('takes the keys, says how many calls that ended, and goes on to the model where it cannot', async () => {
    const say = vi.fn();
    const changeKeys = vi
      .fn()
      .mockResolvedValueOnce(2)
      .mockRejectedValueOnce(new MicroturnError('edge/config', 'keys: too short'));
    const edge = edgeOf({ changeKeys });
    const withKeys = () => parseConfig({ keys: { one: 'k'.repeat(32) } });
    await reload({ read: withKeys, edge, say });
    await reload({ read: withKeys, edge, say });
    expect(changeKeys).toHaveBeenLastCalledWith({ one: 'k'.repeat(32) });
    expect(edge.swapModel).toHaveBeenCalledTimes(2);
    expect(say.mock.calls.flat().join('\n')).toMatch(
      /1 keys are good; 2 calls ended[^]*keys were not changed.*too short/,
    );
    expect(say.mock.calls.flat().join('\n')).not.toContain('kkkk');
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
      expect.stringContaining('keys are good'),
      expect.stringContaining('/models/two'),
      expect.stringMatching(/certificate was not changed.*b\.pem/),
      expect.stringContaining('keys are good'),
      expect.stringContaining('/models/two'),
    ]);
  });
});
