import { MicroturnError } from '@microturn/protocol';
import type { Clock } from '../clock.js';
import { CompositeEngine } from '../composite/index.js';
import { LanguageModels, type AskModel } from '../llm/index.js';
import type { SessionEngine, SessionMedia } from '../session/index.js';
import type { Log } from '../telemetry/log.js';
import type { Transcriber } from '../transcribe/index.js';
import type { VoiceSpec } from '../voice/index.js';
import { openTranscriber, toVoiceSpec, type Environment } from './open-parts.js';
import type { RecipeConfig } from './recipe-config.js';
import { BUNDLE_ALONE, type Recipes } from './resolve.js';

export interface AgentsParts {
  /** Where language models are asked. */
  readonly ask: AskModel;
  readonly clock: Clock;
  readonly after: (ms: number, fn: () => void) => () => void;
  readonly log: Log;
  /** Where keys are. */
  readonly env: Environment;
}

/** Who a call talks with: how its decisions are made, and who speaks. */
export interface CallAgent {
  readonly engine: SessionEngine;
  /** The name of its voice; the edge's own where there is none. */
  readonly speaker: string | undefined;
  /** Its ears need the sound again. */
  readonly keepClip: boolean;
}

interface Agent {
  readonly config: RecipeConfig;
  readonly llm: LanguageModels;
  readonly transcriber: Transcriber | undefined;
}

/** The agents of an edge: the bundle alone, and one for each recipe. */
export class Agents {
  /** Voices of the recipes, by the name that calls speak with. */
  readonly speakers: Readonly<Record<string, VoiceSpec>>;
  readonly #agents = new Map<string, Agent>();
  readonly #first: string | undefined;
  readonly #parts: AgentsParts;

  /** @throws {MicroturnError} `edge/config` where a key is not in the environment */
  constructor({ byName, first }: Recipes, parts: AgentsParts) {
    this.#parts = parts;
    this.#first = first;
    const speakers: Record<string, VoiceSpec> = {};
    try {
      for (const [name, config] of byName) {
        const llm = new LanguageModels({ configs: { [name]: config.llm }, ...parts });
        this.#agents.set(name, { config, llm, transcriber: openTranscriber(name, config.transcriber, parts.env) });
        speakers[name] = toVoiceSpec(name, config.voice, parts.env);
      }
    } catch (error) {
      // A transcriber of an earlier recipe may have a process of its own.
      this.close();
      throw error;
    }
    this.speakers = speakers;
  }

  /** What a client may ask for, the one first that it gets where it asks for none. */
  get names(): readonly string[] {
    const all = [...this.#agents.keys(), BUNDLE_ALONE];
    const first = this.#first ?? BUNDLE_ALONE;
    return [first, ...all.filter((name) => name !== first)];
  }

  /** @throws {MicroturnError} as `forCall` */
  assertKnown(name: string | undefined): void {
    this.#find(name);
  }

  /**
   * @param name a recipe, or `nano` for the bundle alone
   * @throws {MicroturnError} `recipe/unknown` where there is none of that name
   */
  forCall(
    name: string | undefined,
    call: { readonly floor: SessionEngine; readonly media: SessionMedia; readonly endpoint: string },
  ): CallAgent {
    const { chosen, agent } = this.#find(name);
    if (!agent) return { engine: call.floor, speaker: undefined, keepClip: false };
    const { config, llm, transcriber } = agent;
    const { instructions, eagerness, longestPauseMs, drafting, patience, maxOutputTokens } = config;
    const { log } = this.#parts;
    const engine = new CompositeEngine(call.floor, {
      llm,
      instructions,
      sees: config.llm.takes.includes('image'),
      transcriber,
      clip: (fromMs, toMs) => call.media.request('clip', { endpoint: call.endpoint, fromMs, toMs }),
      turnTaking: { eagerness, longestPauseMs, drafting, patience },
      maxOutputTokens,
      log,
    });
    return { engine, speaker: chosen, keepClip: transcriber !== undefined };
  }

  /** @returns no agent for the bundle alone */
  #find(name: string | undefined): { readonly chosen: string; readonly agent: Agent | undefined } {
    const chosen = name ?? this.#first ?? BUNDLE_ALONE;
    const agent = this.#agents.get(chosen);
    if (!agent && chosen !== BUNDLE_ALONE) {
      throw new MicroturnError('recipe/unknown', `${chosen}; this edge has ${this.names.join(', ')}`);
    }
    return { chosen, agent };
  }

  /** Gives up what is being transcribed. Sessions are closed before. */
  close(): void {
    for (const { transcriber } of this.#agents.values()) transcriber?.close();
  }
}
