import { MicroturnError } from '@microturn/protocol';
import type { ModelInfo } from '../engine/types.js';
import type { LanguageModels } from '../llm/index.js';
import type { OpenBackground } from '../session/index.js';
import type { Log } from '../telemetry/log.js';
import type { BackgroundConfig } from './config.js';
import type { DelegateRule } from './delegation.js';
import { BackgroundDesk } from './desk.js';
import { EmbeddedProvider } from './embedded-provider.js';
import { followUpOf, guarded, type FollowUpRule } from './follow-up.js';
import { LlmProvider } from './llm-provider.js';
import type { McpParts, McpServer } from './mcp.js';
import type { BackgroundProvider } from './provider.js';
import type { Hear } from './spoken-questions.js';
import type { Tool } from './toolbox.js';
import { Turnstile } from './turnstile.js';
import { transcribeOnce } from '../transcribe/one-shot.js';
import { askUser } from './tools/ask-user.js';
import { calculator } from './tools/calculator.js';
import { clockTool } from './tools/clock.js';
import { DocumentSearch } from './tools/documents.js';
import { showSurface } from './tools/surface.js';
import { fetchTool, searchTool } from './tools/web.js';
import type { RelayRule } from './weaver.js';

/** What an app may bring to the background of its sessions. */
export interface BackgroundHooks {
  /** Functions of the app's server. */
  readonly tools?: readonly Tool[] | undefined;
  /**
   * Looks at each sentence between a result and the voice, and gives back what may be said; nothing where nothing may. What
   * it throws, and what takes it longer than two seconds, is not said.
   */
  readonly moderate?:
    ((text: string, about: { taskId: string; title: string }) => Promise<string | undefined>) | undefined;
  /** What an utterance does to the tasks under way. Where it throws, the utterance is a question of its own. */
  readonly followUp?: FollowUpRule | undefined;
  /** Works on the tasks, instead of the language models and the embedded tools. */
  readonly provider?: BackgroundProvider | undefined;
}

export interface BackgroundParts {
  readonly config: BackgroundConfig;
  readonly languageModels: LanguageModels | undefined;
  readonly hooks: BackgroundHooks;
  readonly after: (ms: number, fn: () => void) => () => void;
  readonly log: Log;
  /** Where keys are, and what MCP servers may be given of it. */
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly wallMs?: (() => number) | undefined;
}

const PROGRESS_MS = 6000;
const MODERATE_MS = 2000;
const ANSWER_MS = 60_000;
/** Of a task that failed before anything of it was said. Each of its requests is tried again by itself, besides. */
const RETRIES = 2;
/** As long as a session waits for its client, and a little more. */
const EXPIRE_MS = 180_000;
const TEXT_CHARS = 32_768;
/** Where a bundle has no rule of its own. docs/background.md says so. */
const RELAY: Omit<RelayRule, 'by'> = { floors: ['silent', 'yielded'], quietMs: 600 };
/** A model that was offered a result for so long, with the floor free, has missed it; to decline, it has the act `show`. */
const MISSED_MS = 10_000;
const DELEGATE: DelegateRule = { by: 'utterance', minSpeechMs: 800, pauseMs: 600 };

/** The background work of an edge: what is shared by all sessions. */
export class Background {
  readonly #parts: BackgroundParts;
  readonly #provider: BackgroundProvider;
  readonly #tools: readonly Tool[];
  readonly #servers: readonly McpServer[];
  readonly #hear: Hear | undefined;
  readonly #starts = new Turnstile();

  private constructor(
    parts: BackgroundParts,
    provider: BackgroundProvider,
    tools: readonly Tool[],
    servers: readonly McpServer[],
  ) {
    this.#parts = parts;
    this.#provider = provider;
    this.#tools = tools;
    this.#servers = servers;
    this.#hear = hearOf(parts);
  }

  /** @throws {MicroturnError} `edge/config` where a folder, a model or a server that is named is not there, or a tool has the edge's name */
  static async open(parts: BackgroundParts): Promise<Background> {
    const { config, languageModels, hooks, log, wallMs = Date.now } = parts;
    const known = languageModels?.states.map(({ name }) => name) ?? [];
    const stranger = config.models?.find((name) => !known.includes(name));
    if (stranger !== undefined) {
      throw new MicroturnError('edge/config', `background.models: ${stranger} is not among llm.models`);
    }
    if (hooks.tools?.some(({ name }) => name === askUser.name)) {
      throw new MicroturnError('edge/config', `tools: ${askUser.name} is a tool of the edge: give yours another name`);
    }
    const documents = config.documents === undefined ? undefined : await DocumentSearch.open(config.documents, log);
    const servers = await openServers(config.mcp, { env: parts.env, log });
    const tools: Tool[] = [
      ...(hooks.tools ?? []),
      calculator,
      clockTool(wallMs),
      ...(documents ? [documents.tool] : []),
      ...(config.surfaces ? [showSurface] : []),
      ...(config.fetch ? [fetchTool(config.fetch.allow)] : []),
      ...(config.searxng === undefined ? [] : [searchTool(config.searxng)]),
      ...servers.flatMap((server) => server.tools),
    ];
    const { models, instructions } = config;
    const provider =
      hooks.provider ??
      (languageModels && known.length > 0
        ? new LlmProvider({ languageModels, models, instructions })
        : new EmbeddedProvider({ documents, wallMs }));
    return new Background(parts, provider, tools, servers);
  }

  /** Ends the MCP servers. The sessions end theirs. */
  async close(): Promise<void> {
    await Promise.all(this.#servers.map((server) => server.close()));
  }

  /** The background of one session, by what its model can decide itself. */
  openFor(model: Pick<ModelInfo, 'acts' | 'relay' | 'delegate' | 'tellsUtterances'>): OpenBackground {
    const { acts, relay, delegate, tellsUtterances = false } = model;
    const { config, hooks, after, log } = this.#parts;
    const { moderate } = hooks;
    const byUtterance: DelegateRule = delegate ? { by: 'utterance', ...delegate } : DELEGATE;
    const { floors, quietMs } = relay ?? RELAY;
    // A bundle that gives a rule as well wants what its act misses to be asked too.
    const decides = config.delegate ?? (acts?.includes('delegate') && !delegate ? 'act' : 'utterance');
    return (desk) =>
      new BackgroundDesk(
        {
          provider: this.#provider,
          tools: this.#tools,
          limits: {
            concurrent: config.concurrent,
            queued: config.queued,
            timeoutMs: config.timeoutSeconds * 1000,
            retries: RETRIES,
            answerMs: ANSWER_MS,
            expireMs: EXPIRE_MS,
            textChars: TEXT_CHARS,
          },
          budget: config.budget,
          relay: acts?.includes('relay')
            ? { by: 'act', floors, quietMs: Math.max(quietMs, MISSED_MS) }
            : { by: 'floor', floors, quietMs },
          delegate: decides === 'act' ? { by: 'act' } : byUtterance,
          tellsUtterances,
          progressMs: PROGRESS_MS,
          followUp: hooks.followUp
            ? guarded(hooks.followUp, (err) => log.warn({ err }, 'a followUp of the app failed'))
            : followUpOf,
          hear: this.#hear,
          moderate: moderate && ((text, { id, title }) => inTime(() => moderate(text, { taskId: id, title }), after)),
          starts: this.#starts,
          after,
          log,
        },
        desk,
      );
  }
}

/** @throws {MicroturnError} `edge/config` where its key is not in the environment */
function hearOf({ config: { transcriber }, env }: BackgroundParts): Hear | undefined {
  if (!transcriber) return undefined;
  const { baseUrl, model, apiKeyEnv, language } = transcriber;
  const apiKey = apiKeyEnv === undefined ? undefined : env[apiKeyEnv]?.trim();
  if (apiKeyEnv !== undefined && !apiKey) {
    throw new MicroturnError('edge/config', `background.transcriber: ${apiKeyEnv} is not set`);
  }
  return (clip, signal) => transcribeOnce(clip, { baseUrl, model, apiKey, language }, signal);
}

/** All of them, or none. Its SDK is loaded for whoever has one: it is the better part of what an edge loads as it starts. */
async function openServers(configs: BackgroundConfig['mcp'], parts: McpParts): Promise<readonly McpServer[]> {
  if (Object.keys(configs).length === 0) return [];
  const { McpServer } = await import('./mcp.js');
  const opened = await Promise.allSettled(
    Object.entries(configs).map(([name, config]) => McpServer.open(name, config, parts)),
  );
  const servers = opened.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []));
  const failed = opened.find((one) => one.status === 'rejected');
  if (!failed) return servers;
  await Promise.all(servers.map((server) => server.close()));
  throw failed.reason;
}

/** What a hook gives back, unless it fails, by a throw of its own or a promise's, or takes too long. */
async function inTime(
  hook: () => Promise<string | undefined>,
  after: BackgroundParts['after'],
): Promise<string | undefined> {
  let cancel: (() => void) | undefined;
  const late = new Promise<undefined>((resolve) => {
    cancel = after(MODERATE_MS, () => resolve(undefined));
  });
  try {
    return await Promise.race([hook(), late]);
  } catch {
    return undefined;
  } finally {
    cancel?.();
  }
}
