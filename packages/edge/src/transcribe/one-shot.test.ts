import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { OpenAiServer, type OpenAiServerOptions } from '../testing/openai-server.js';
import { transcribeOnce } from './one-shot.js';

const clip = { pcm: Int16Array.of(0, 1000, -1000, 0), rateHz: 16_000 };
const signal = new AbortController().signal;

async function server(transcribe: NonNullable<OpenAiServerOptions['transcribe']>): Promise<OpenAiServer> {
  const started = await OpenAiServer.start({ transcribe, apiKey: 'k' });
  onTestFinished(() => started.close());
  return started;
}

describe('words of a recording', () => {
  it('are asked for with the recording as WAV, and the model and language', async () => {
    const openai = await server(() => ' how far is the moon ');
    const options = { baseUrl: openai.url, model: 'whisper-1', apiKey: 'k', language: 'en' };
    expect(await transcribeOnce(clip, options, signal)).toBe('how far is the moon');
    const [asked] = openai.transcriptions;
    expect(asked).toMatchObject({ model: 'whisper-1', fields: { language: 'en', response_format: 'json' } });
    expect(asked!.audio).toHaveLength(44 + 2 * clip.pcm.length);
  });

  it('are not understood where the server fails, does not know the key or is not there', async () => {
    const openai = await server(() => ({ status: 500 }));
    for (const options of [
      { baseUrl: openai.url, model: 'm', apiKey: 'k' },
      { baseUrl: openai.url, model: 'm', apiKey: 'wrong' },
      { baseUrl: 'http://127.0.0.1:9/v1', model: 'm' },
    ]) {
      await expect(transcribeOnce(clip, options, signal)).rejects.toMatchObject({ code: 'task/unheard' });
    }
  });

  it('are waited for no longer than 15 s', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    onTestFinished(() => void vi.useRealTimers());
    const fetch = (_: unknown, { signal: limited }: RequestInit = {}) =>
      new Promise<Response>((_, reject) => limited!.addEventListener('abort', () => reject(limited!.reason as Error)));
    let error: unknown;
    const asked = transcribeOnce(clip, { baseUrl: 'http://server/v1', model: 'm', fetch }, signal);
    asked.catch((cause: unknown) => (error = cause));
    await vi.advanceTimersByTimeAsync(14_999);
    expect(error).toBeUndefined();
    await vi.advanceTimersByTimeAsync(1);
    expect(error).toMatchObject({ code: 'task/unheard' });
  });
});
