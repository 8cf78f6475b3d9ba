import {
  OpenAiServer,
  SpeechServer,
  type ChatCompletionRequest,
  type ScriptedHearing,
  type ScriptedReply,
  type ScriptedSpeech,
} from '@microturn/edge/testing';
import { writeFile } from 'node:fs/promises';
import type { Pcm } from '../call/wav.js';
import type { TimedWord } from '../fixtures/questions.js';
import { EdgeProcess } from './edge-process.js';
import { PerfectEars } from './perfect-ears.js';
import { TemporaryFolder } from './temporary-folder.js';

/** How fast the services of a test are. */
export interface Speeds {
  readonly transcribeMs: number;
  readonly firstTokenMs: number;
  readonly tokensPerSecond: number;
  readonly firstAudioMs: number;
}

export interface WorldOptions {
  readonly speeds: Speeds;
  /** What the LLM says to what it is asked, beside its pace. */
  readonly answer?: (
    lastMessage: string,
    index: number,
    messages: ChatCompletionRequest['messages'],
  ) => Partial<ScriptedReply>;
  readonly speak?: (index: number) => ScriptedSpeech;
  /** Beside the three services. */
  readonly recipe?: Readonly<Record<string, unknown>>;
  readonly voice?: 'flite' | 'service';
  /** Words come over a WebSocket, and not by growing clips. */
  readonly hear?: ScriptedHearing & { readonly dialect: 'openai' | 'vllm' };
  /** Of the LLM, beside where it is. */
  readonly llm?: Readonly<Record<string, unknown>>;
  /** Further flags of the edge. */
  readonly args?: readonly string[];
}

const ANSWER = 'Yes, that is fine. I would do it early, and take a coat.';

/** An edge whose LLM, transcriber and voice are servers of this process that do what a test says, at the speeds it says. */
export class LlmWorld implements AsyncDisposable {
  readonly edge: EdgeProcess;
  readonly openAi: OpenAiServer;
  readonly speech: SpeechServer;
  readonly #hearing: { ears: PerfectEars | undefined };

  private constructor(
    edge: EdgeProcess,
    openAi: OpenAiServer,
    speech: SpeechServer,
    hearing: { ears: PerfectEars | undefined },
  ) {
    this.edge = edge;
    this.openAi = openAi;
    this.speech = speech;
    this.#hearing = hearing;
  }

  static async start({
    speeds,
    answer,
    speak,
    recipe,
    voice = 'flite',
    hear,
    llm,
    args = [],
  }: WorldOptions): Promise<LlmWorld> {
    const hearing: { ears: PerfectEars | undefined } = { ears: undefined };
    const { transcribeMs, firstTokenMs, tokensPerSecond, firstAudioMs } = speeds;
    const openAi = await OpenAiServer.start({
      apiKey: 'test-key',
      chat: ({ messages }, index) => {
        const content = messages.at(-1)?.content;
        const last = typeof content === 'string' ? content : JSON.stringify(content);
        return { text: ANSWER, delayMs: firstTokenMs, tokensPerSecond, ...answer?.(last, index, messages) };
      },
      transcribe: async ({ audio }) => {
        await new Promise((resolve) => setTimeout(resolve, transcribeMs));
        return hearing.ears?.transcribe(audio) ?? '';
      },
    });
    const speech = await SpeechServer.start({
      apiKey: 'test-key',
      speak: (_request, index) => ({ delayMs: firstAudioMs, speed: 4, ...speak?.(index) }),
      ...(hear && { hear }),
    });
    const service = { baseUrl: openAi.url, apiKeyEnv: 'TEST_LLM_KEY' };
    const words = hear
      ? { provider: 'realtime', dialect: hear.dialect, baseUrl: speech.url, apiKeyEnv: 'TEST_LLM_KEY', model: 'stt' }
      : { provider: 'openai-compatible', ...service, model: 'stt', everyMs: 200 };
    const tts = { provider: 'openai-compatible', baseUrl: speech.url, apiKeyEnv: 'TEST_LLM_KEY' };
    const config = {
      recipes: {
        test: {
          llm: { ...service, model: 'llm', ...llm },
          transcriber: words,
          voice: voice === 'flite' ? { provider: 'flite' } : { ...tts, model: 'tts', voice: 'alloy' },
          ...recipe,
        },
      },
    };
    await using folder = await TemporaryFolder.create();
    await writeFile(folder.file('edge.json'), JSON.stringify(config));
    const edge = await EdgeProcess.start({
      args: ['--config', folder.file('edge.json'), ...args],
      env: { TEST_LLM_KEY: 'test-key' },
    });
    return new LlmWorld(edge, openAi, speech, hearing);
  }

  /** What the transcriber is going to hear. */
  listenTo(recording: Pcm, words: readonly TimedWord[]): void {
    this.#hearing.ears = new PerfectEars(recording, words);
  }

  /** Requests that were not in order, of any service. */
  get problems(): readonly string[] {
    return [...this.openAi.problems, ...this.speech.problems];
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.edge.stop();
    await Promise.all([this.openAi.close(), this.speech.close()]);
  }
}
