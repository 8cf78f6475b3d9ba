import type { MicroturnError } from '@microturn/protocol';
import { isWildcard, outsideAddress } from './addresses.js';
import { Background, type BackgroundHooks } from './background/index.js';
import { after, monotonicClock } from './clock.js';
import { closeAll, type Closable } from './close-all.js';
import { parseConfig, storeFile, type EdgeConfig, type EdgeConfigInput } from './config.js';
import { Edge } from './edge.js';
import { EngineHost } from './engine/index.js';
import { certificateFor } from './https.js';
import { LanguageModels, ModelHost, type Route } from './llm/index.js';
import { MediaHost, type MediaPorts } from './media/index.js';
import { Agents, resolveRecipes, type AgentsParts } from './recipes/index.js';
import { KeyRing, Webhooks } from './signaling/index.js';
import { DiskStore, MemoryStore, SessionRecorder, type SessionStore } from './store/index.js';
import { EdgeMetrics, createLog, type Log } from './telemetry/index.js';
import { VoiceHost } from './voice/index.js';

/** What cannot be written in a configuration file: functions of the app. */
export interface EdgeOptions extends BackgroundHooks {
  readonly log?: Log;
  /** Where sessions are kept, in place of what the configuration says. Not closed with the edge. */
  readonly store?: SessionStore;
  /** Which language models are asked, and in which order. */
  readonly route?: Route | undefined;
  /** Where the keys of language models are; this process's environment unless told otherwise. */
  readonly env?: Readonly<Record<string, string | undefined>>;
}

/**
 * Builds an edge and joins its parts: engine, voice, media and language models on threads of their own, signaling on main.
 * @throws {MicroturnError} `edge/config`, `edge/port-in-use`, `edge/no-worker`, `bundle/*`, `voice/failed`
 */
export async function createEdge(input: EdgeConfigInput = {}, options: EdgeOptions = {}): Promise<Edge> {
  const config = parseConfig(input);
  const log = options.log ?? createLog(config.logLevel);
  // Opened in this order and closed in the reverse one, also where a later one fails.
  const opened: Closable[] = [];
  const own = <T extends Closable>(part: T): T => {
    opened.push(part);
    return part;
  };
  try {
    const [certificate, announcedAddress] = await Promise.all([certificateFor(config), announcedBy(config)]);
    const metrics = own(new EdgeMetrics());
    const keys = new KeyRing(config.keys);
    const webhooks = own(new Webhooks({ ...config.webhooks, keys: () => keys.current, log, after }));
    const store = options.store ?? own(openStore(config, log));
    const recorder = own(new SessionRecorder({ store, log, after }));
    const env = options.env ?? process.env;
    const recipes = resolveRecipes(config);
    const models = own(new ModelHost({ clock: monotonicClock, log }));
    if (recipes.byName.size > 0 || Object.keys(config.llm.models).length > 0) models.open();
    const common = { ask: models.ask, clock: monotonicClock, after, log, env };
    const background = await openBackground(config, options, common);
    if (background) own(background);
    let media: MediaHost | undefined;
    let edge: Edge | undefined;
    const onFailed = (error: MicroturnError) => edge?.fail(error);
    const agents = own(new Agents(recipes, common));
    // Each takes a while, on a thread of its own.
    const starting = [
      EngineHost.start({
        bundleDir: config.engine.bundle,
        rows: config.engine.rows,
        threads: config.engine.threads,
        laneSize: config.engine.laneSize,
        provider: config.engine.provider,
        log,
        // Each thread that is started later is reached over a port of its own.
        onThread: (id) => media?.setEnginePort(engine.connect(id), id),
        onFailed,
      }),
      VoiceHost.start({
        ...(config.voice.name !== undefined && { voice: config.voice.name }),
        speakers: agents.speakers,
        log,
        onRestart: () => media?.setVoicePort(voice.connect()),
        onFailed,
      }),
      MediaHost.start({
        options: {
          workerBin: config.media.workerBin,
          listenIp: config.media.listenIp,
          port: config.media.port,
          announcedAddress,
        },
        reconnect: (): MediaPorts => ({ engines: engine.connectAll(), voice: voice.connect() }),
        log,
      }),
    ] as const;
    // Where one fails, those that were started all the same have to be closed.
    for (const one of await Promise.allSettled(starting)) if (one.status === 'fulfilled') own(one.value);
    const [engine, voice, connected] = await Promise.all(starting);
    media = connected;
    media.connect({ engines: engine.connectAll(), voice: voice.connect() });
    edge = new Edge({
      background,
      config,
      log,
      certificate,
      announcedAddress,
      metrics,
      recorder,
      engine,
      voice,
      media,
      agents,
      keys,
      webhooks,
      opened,
    });
    await edge.listen();
    return edge;
  } catch (error) {
    await closeAll(opened, log);
    throw error;
  }
}

/** What callers are told to send media to, where it is not where it is listened for. */
async function announcedBy({ media: { listenIp, announcedAddress } }: EdgeConfig): Promise<string | undefined> {
  if (announcedAddress !== undefined || !isWildcard(listenIp)) return announcedAddress;
  return (await outsideAddress()) ?? '127.0.0.1';
}

function openStore(config: EdgeConfig, log: Log): SessionStore {
  const file = storeFile(config);
  const maxBytes = config.store.maxMiB * 2 ** 20;
  return file === undefined ? new MemoryStore({ maxBytes }) : new DiskStore({ file, maxBytes, log });
}

async function openBackground(
  config: EdgeConfig,
  options: EdgeOptions,
  common: AgentsParts,
): Promise<Background | undefined> {
  if (config.background === false) return undefined;
  const languageModels = new LanguageModels({ ...common, configs: config.llm.models, route: options.route });
  return Background.open({ ...common, config: config.background, languageModels, hooks: options });
}
