import { askHere } from '../llm/ask-model.js';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { parseConfig } from '../config.js';
import type { SessionEngine, SessionMedia } from '../session/index.js';
import { silentLog } from '../telemetry/index.js';
import { ManualClock } from '../testing/manual-clock.js';
import { HttpTranscriber } from '../transcribe/index.js';
import { Agents } from './agents.js';
import { builtInRecipes } from './built-in.js';
import { resolveRecipes } from './resolve.js';

const resolve = (input: object) => resolveRecipes(parseConfig(input));
const floor = { info: { microTurnMs: 200 } } as SessionEngine;
const call = { floor, media: {} as SessionMedia, endpoint: 'e' };

function agents(input: object, env: Record<string, string> = {}) {
  const clock = new ManualClock();
  return new Agents(resolve(input), {
    ask: askHere({ clock, after: clock.after }),
    clock,
    after: clock.after,
    log: silentLog,
    env,
  });
}

describe('recipes', () => {
  it('two lines make one', () => {
    const { byName, first } = resolve({ recipes: { mine: { llm: { baseUrl: 'http://127.0.0.1:1/v1', model: 'm' } } } });
    expect(first).toBe('mine');
    expect(byName.get('mine')).toMatchObject({
      llm: { provider: 'openai-compatible', baseUrl: 'http://127.0.0.1:1/v1', model: 'm' },
      transcriber: { provider: 'bundle' },
      voice: { provider: 'flite' },
      eagerness: 'normal',
      drafting: { enabled: 'auto' },
    });
  });

  it('an LLM is given up before it would be asked a second time for nothing', () => {
    const { llm, patience } = resolve({ recipe: 'ollama' }).byName.get('ollama')!;
    expect(patience.firstMs).toBeLessThan(llm.firstTokenMs);
    expect(patience.stallMs).toBeLessThan(llm.idleMs);
  });

  it.each(Object.keys(builtInRecipes))('the built-in %s is valid', (name) => {
    expect(resolve({ recipe: name }).byName.has(name)).toBe(true);
  });

  it('a built-in says what is left out, section by section, unless the section is of another provider', () => {
    const recipe = resolve({
      recipes: {
        openai: { llm: { model: 'another' }, transcriber: { provider: 'bundle' }, instructions: 'Be kind.' },
      },
    }).byName.get('openai')!;
    expect(recipe.llm).toMatchObject({ baseUrl: 'https://api.openai.com/v1', model: 'another' });
    expect(recipe.transcriber).toEqual({ provider: 'bundle' });
    expect(recipe).toMatchObject({ instructions: 'Be kind.', voice: { model: 'gpt-4o-mini-tts' } });
  });

  it('a built-in says what is left out also where the provider that it has is written out', () => {
    const llm = { provider: 'openai-compatible', baseUrl: 'https://eu.api.openai.com/v1', model: 'another' } as const;
    expect(resolve({ recipes: { openai: { llm } } }).byName.get('openai')!.llm).toMatchObject({
      ...llm,
      apiKeyEnv: 'OPENAI_API_KEY',
      takes: ['image'],
    });
  });

  it('a Realtime transcriber may be given by the address of its socket', () => {
    const transcriber = { baseUrl: 'wss://stt.example/v1' };
    expect(resolve({ recipes: { openai: { transcriber } } }).byName.get('openai')).toMatchObject({ transcriber });
  });

  it('bounds what drafts may cost where the LLM has a price', () => {
    const price = { input: 1, output: 2 };
    const recipe = resolve({ recipes: { ollama: { llm: { price }, drafting: { costPerMinute: 0.1 } } } });
    expect(recipe.byName.get('ollama')).toMatchObject({ drafting: { costPerMinute: 0.1 }, llm: { price } });
  });

  it.each([
    [{ recipe: 'nowhere' }, 'there is no nowhere'],
    [{ recipes: { nano: {} } }, 'recipes.nano'],
    [{ recipes: { mine: { llm: { baseUrl: 'no url', model: 'm' } } } }, 'recipes.mine.llm.baseUrl'],
    [{ recipes: { mine: { llm: { baseUrl: 'localhost:8000/v1', model: 'm' } } } }, 'begins with http:// or https://'],
    [{ recipes: { openai: { voice: { baseUrl: 'localhost:8000/v1' } } } }, 'begins with http:// or https://'],
    [{ recipes: { openai: { transcriber: { baseUrl: 'localhost:8000/v1' } } } }, 'recipes.openai.transcriber.baseUrl'],
    [{ recipes: { openai: { eagerness: 'wild' } } }, 'recipes.openai.eagerness'],
    [{ recipes: { openai: { frist: true } } }, 'recipes.openai.frist'],
    [{ recipes: { mine: {} } }, 'recipes.mine.llm'],
    [{ recipes: { ollama: { drafting: { costPerMinute: 0.1 } } } }, 'recipes.ollama.drafting.costPerMinute'],
  ])('%j is refused, naming the field', (input, field) => {
    expect(() => resolve(input)).toThrow(expect.objectContaining({ code: 'edge/config' }));
    expect(() => resolve(input)).toThrow(field);
  });
});

describe('agents', () => {
  it('a call gets the first recipe, the one it asks for, or the bundle alone', () => {
    const some = agents({ recipe: 'vllm', recipes: { ollama: {} } });
    expect(some.names).toEqual(['vllm', 'ollama', 'nano']);
    expect(some.forCall(undefined, call)).toMatchObject({ speaker: 'vllm', keepClip: false });
    expect(some.forCall('ollama', call)).toMatchObject({ speaker: 'ollama' });
    expect(some.forCall('nano', call)).toEqual({ engine: floor, speaker: undefined, keepClip: false });
    expect(() => some.forCall('gpt', call)).toThrow(
      expect.objectContaining({ code: 'recipe/unknown', message: expect.stringContaining('vllm, ollama, nano') }),
    );
    expect(agents({}).forCall(undefined, call).engine).toBe(floor);
    expect(agents({ recipe: 'nano', recipes: { ollama: {} } }).names).toEqual(['nano', 'ollama']);
  });

  it('keeps the sound where a transcriber needs it, and gives the voice its key', () => {
    const some = agents({ recipe: 'openai' }, { OPENAI_API_KEY: 'k\r\n' });
    expect(some.forCall(undefined, call)).toMatchObject({ keepClip: true });
    expect(some.speakers['openai']).toMatchObject({ provider: 'openai-compatible', apiKey: 'k', voice: 'alloy' });
    expect(some.speakers['openai']).not.toHaveProperty('apiKeyEnv');
    some.close();
  });

  it('says which key is missing', () => {
    expect(() => agents({ recipe: 'openai' })).toThrow(expect.objectContaining({ code: 'edge/config' }));
    expect(() => agents({ recipe: 'openai' })).toThrow('OPENAI_API_KEY is not set');
  });

  it('where one of them is refused, those before it are closed', () => {
    const closed = vi.spyOn(HttpTranscriber.prototype, 'close');
    onTestFinished(() => closed.mockRestore());
    const llm = { baseUrl: 'http://127.0.0.1:1/v1', model: 'm' };
    const transcriber = { ...llm, provider: 'openai-compatible' };
    const recipes = { sound: { llm, transcriber }, broken: { llm: { ...llm, apiKeyEnv: 'MISSING' } } };
    expect(() => agents({ recipes })).toThrow('MISSING is not set');
    expect(closed).toHaveBeenCalledOnce();
  });
});
