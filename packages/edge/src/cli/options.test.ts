import { Command } from 'commander';
import { describe, expect, it } from 'vitest';
import { addConfigOptions, configFrom, languageModelOf } from './options.js';

function doctor(...args: string[]) {
  const command = addConfigOptions(new Command('doctor'))
    .option('--language-model <name>')
    .action(() => undefined);
  command.parse(['node', 'microturn', ...args]);
  const languageModel = languageModelOf(command);
  return { languageModel, provider: configFrom(command, {}).engine.provider };
}

describe('the worker', () => {
  it.each([
    [['--worker-bin', '/mine'], {}, '/mine'],
    [[], { MEDIASOUP_WORKER_BIN: '/environment' }, '/environment'],
    [[], { XDG_CACHE_HOME: '/no/such/cache' }, undefined],
  ])('of %j and %j is %s', (args, env, expected) => {
    const command = addConfigOptions(new Command('start')).action(() => undefined);
    command.parse(['node', 'microturn', ...args]);
    expect(configFrom(command, env).media.workerBin).toBe(expected);
  });
});

describe('the model that the doctor asks', () => {
  it.each([
    [['--provider', 'claude'], { languageModel: 'claude', provider: 'auto' }],
    [['--provider', 'cpu'], { languageModel: undefined, provider: 'cpu' }],
    [['--language-model', 'claude', '--provider', 'cpu'], { languageModel: 'claude', provider: 'cpu' }],
    [['--language-model', 'cpu'], { languageModel: 'cpu', provider: 'auto' }],
    [[], { languageModel: undefined, provider: 'auto' }],
  ])('of %j is %j', (args, expected) => expect(doctor(...args)).toEqual(expected));
});
