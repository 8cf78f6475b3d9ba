import { MicroturnError } from '@microturn/protocol';
import { describe, expect, it, vi } from 'vitest';
import { parseConfig } from '../config.js';
import { reloadModel } from './reload.js';

describe('SIGHUP', () => {
  const read = () => parseConfig({ engine: { bundle: '/models/two' } });

  it('swaps in the model that the configuration names now', async () => {
    const [swapModel, say] = [vi.fn().mockResolvedValue(undefined), vi.fn()];
    await reloadModel({ read, swapModel, say });
    expect(swapModel).toHaveBeenCalledExactlyOnceWith('/models/two');
    expect(say).toHaveBeenCalledExactlyOnceWith(expect.stringContaining('/models/two'));
  });

  it('says what is wrong with a bundle or a configuration, and changes nothing', async () => {
    const say = vi.fn();
    const swapModel = vi.fn().mockRejectedValue(new MicroturnError('bundle/hash', 'step.onnx'));
    await reloadModel({ read, swapModel, say });
    await reloadModel({
      read: () => {
        throw new MicroturnError('edge/config', 'port: 70000');
      },
      swapModel,
      say,
    });
    expect(swapModel).toHaveBeenCalledOnce();
    expect(say.mock.calls.flat()).toEqual([
      expect.stringMatching(/nothing was changed.*step\.onnx/),
      expect.stringMatching(/nothing was changed.*70000/),
    ]);
  });
});
