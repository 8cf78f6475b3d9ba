import { MicroturnError, limits } from '@microturn/protocol';
import { existsSync } from 'node:fs';
import { isIP } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import * as v from 'valibot';
import { BackgroundConfig } from './background/config.js';
import { providerChoices } from './engine/types.js';
import { FilePath } from './file-path.js';
import { LanguageModelConfigs } from './llm/model-config.js';
import { RecipeInput } from './recipes/recipe-config.js';
import { trustedProxies } from './signaling/caller-address.js';
import { parseIceUrl } from './signaling/ice-servers.js';
import { defaultStateFolder } from './state-folder.js';
import { logLevels } from './telemetry/create-log.js';

const Port = v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(65_535));
/** LiveKit demands secrets of this length, and a shorter one can be guessed from any token. */
const Secret = v.pipe(
  v.string(),
  v.minLength(32, 'a secret has at least 32 characters; make one with `microturn keys`'),
);

const Text = v.pipe(v.string(), v.minLength(1));
/** As a browser sends it: scheme, host and port, and nothing else. */
const Origin = v.pipe(
  v.string(),
  v.check(isOrigin, (issue) => `expected an origin such as https://app.example, got ${issue.received}`),
);

const Proxy = v.pipe(
  v.string(),
  v.check(isProxy, (issue) => `expected an address, a network such as 10.0.0.0/8, or loopback, got ${issue.received}`),
);
const WebUrl = v.pipe(
  v.string(),
  v.check(isWebUrl, (issue) => `expected a URL such as https://app.example/hooks, got ${issue.received}`),
);

const IceUrl = v.pipe(
  v.string(),
  v.check(isIceUrl, (issue) => `expected a URL such as turn:turn.example:3478?transport=udp, got ${issue.received}`),
);
const IceServer = v.pipe(
  v.strictObject({
    urls: v.union([IceUrl, v.pipe(v.array(IceUrl), v.minLength(1))]),
    username: v.optional(Text),
    credential: v.optional(Text),
    /** Instead of both: what a TURN server and this edge share, from which each caller's credentials are made. */
    secret: v.optional(Text),
    /** How long those are good for. */
    ttlSeconds: v.optional(v.pipe(v.number(), v.integer(), v.minValue(60), v.maxValue(7 * 86_400)), 3600),
  }),
  v.check(
    ({ username, credential, secret }) =>
      (username === undefined) === (credential === undefined) && (secret === undefined || username === undefined),
    'expected a secret, or username and credential, or none of them',
  ),
  v.check(
    ({ urls, username, secret }) =>
      username !== undefined || secret !== undefined || ![urls].flat().some((url) => /^turns?:/i.test(url)),
    'a TURN server needs a secret, or username and credential',
  ),
);

const Options = v.strictObject({
  /** Where HTTP and signaling listen; this machine only, unless HTTPS is on. */
  host: v.optional(Text),
  port: v.optional(Port, 7880),
  /** On where `enabled` or given a certificate; without one the edge makes its own. */
  https: v.optional(
    v.pipe(
      v.strictObject({
        enabled: v.optional(v.boolean(), false),
        cert: v.optional(FilePath),
        key: v.optional(FilePath),
      }),
      v.check(({ cert, key }) => (cert === undefined) === (key === undefined), 'cert and key go together'),
    ),
    {},
  ),
  /** API key -> secret. */
  keys: v.optional(v.record(v.string(), Secret), {}),
  /** Gives tokens to whoever asks at /dev/token. */
  dev: v.optional(v.boolean(), false),
  /** A folder to serve at /. */
  demo: v.optional(FilePath),
  allowedOrigins: v.optional(v.array(Origin), []),
  /** Proxies in front of the edge, whose `X-Forwarded-For` says who calls. */
  trustedProxies: v.optional(v.array(Proxy), []),
  /** Where the app's server is told what happens in rooms. */
  webhooks: v.optional(
    v.strictObject({
      urls: v.optional(v.array(WebUrl), []),
      /** The API key that signs them; the first where none is named. */
      key: v.optional(Text),
    }),
    {},
  ),
  /** How long a session waits for a client that is away. */
  resumeSeconds: v.optional(v.pipe(v.number(), v.minValue(0), v.maxValue(3600)), 120),
  /** What the edge makes itself and finds again: its certificate, and sessions unless they have a folder of their own. */
  stateFolder: v.optional(FilePath, () => defaultStateFolder()),
  logLevel: v.optional(v.picklist(logLevels), 'info'),
  room: v.optional(
    v.strictObject({
      /** Each hears every other, so the work grows with the square of it. */
      maxParticipants: v.optional(v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(limits.participants)), 64),
    }),
    {},
  ),
  media: v.optional(
    v.strictObject({
      /** The same as `host`, where that is an address. */
      listenIp: v.optional(v.pipe(v.string(), v.ip())),
      /** UDP and TCP. */
      port: v.optional(Port, 7881),
      /** What callers are told to reach; found out where `listenIp` stands for every address, else that. */
      announcedAddress: v.optional(v.string()),
      workerBin: v.optional(FilePath),
      /** Given to every caller when they join. */
      iceServers: v.optional(v.array(IceServer), []),
    }),
    {},
  ),
  engine: v.optional(
    v.strictObject({
      /** The model's folder. */
      bundle: v.optional(FilePath, () => defaultBundle()),
      /** Participants that can talk with the agent at once. */
      rows: v.optional(v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(1024)), 32),
      /** Each takes one core. */
      threads: v.optional(v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(64)), 1),
      /** Where the model runs. */
      provider: v.optional(v.picklist(providerChoices), 'auto'),
      /** Participants whose micro-turns are computed together. Alone, none waits for another: best for a handful. */
      laneSize: v.optional(v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(128)), 1),
    }),
    {},
  ),
  /** Language models, by the name that the rest of the configuration uses; the first is asked first. */
  llm: v.optional(v.strictObject({ models: v.optional(LanguageModelConfigs, {}) }), {}),
  store: v.optional(
    v.strictObject({
      /** Where sessions are kept for the process that comes after this one: `auto` is the disk, where the port is fixed. */
      kind: v.optional(v.picklist(['auto', 'disk', 'memory']), 'auto'),
      /** One edge's alone. */
      folder: v.optional(FilePath),
      /** How large its file may become, or what is kept in memory. */
      maxMiB: v.optional(v.pipe(v.number(), v.integer(), v.minValue(1)), 512),
    }),
    {},
  ),
  /** Slow work off the path; `false` leaves it out. */
  background: v.optional(v.union([v.literal(false), BackgroundConfig]), {}),
  /** LLMs with ears and a voice, by name: a built-in recipe of that name says what is left out. */
  recipes: v.optional(v.record(v.pipe(v.string(), v.minLength(1), v.maxLength(64)), RecipeInput), {}),
  /** What a call gets that asks for none: a recipe, built in or of `recipes`; `nano` is the bundle alone. */
  recipe: v.optional(v.string()),
  voice: v.optional(v.strictObject({ name: v.optional(v.string()) }), {}),
});

/** Fills in what depends on something else. */
const Schema = v.pipe(
  Options,
  v.check(
    ({ keys, webhooks: { key } }) => key === undefined || Object.hasOwn(keys, key),
    'webhooks.key: there is no such API key',
  ),
  v.transform((options) => {
    const https = { ...options.https, enabled: options.https.enabled || options.https.cert !== undefined };
    // A page that is not localhost has a microphone over HTTPS only: who turns it on wants to be reached.
    const host = options.host ?? (https.enabled ? '0.0.0.0' : '127.0.0.1');
    const listenIp = options.media.listenIp ?? (isIP(host) ? host : '127.0.0.1');
    return { ...options, https, host, media: { ...options.media, listenIp } };
  }),
);

export type EdgeConfig = v.InferOutput<typeof Schema>;
/** What may be left out when an edge is created in code. */
export type EdgeConfigInput = v.InferInput<typeof Schema>;

/** Fills in what is left out. @throws {MicroturnError} `edge/config`, naming the option */
export function parseConfig(input: unknown): EdgeConfig {
  const parsed = v.safeParse(Schema, input);
  if (parsed.success) return parsed.output;
  throw new MicroturnError('edge/config', parsed.issues.map(problemOf).join('; '));
}

function problemOf(issue: v.InferIssue<typeof Schema>): string {
  // What no strict object knows is expected never to be there.
  const message = issue.expected === 'never' ? 'there is no such key' : issue.message;
  return `${v.getDotPath(issue) ?? 'the configuration'}: ${message}`;
}

/**
 * The file that sessions are kept in; undefined where they are in memory. Where no folder is given it goes by the port, as
 * clients come back to that: an edge on a port that the system chose has no successor.
 */
export function storeFile({ port, stateFolder, store: { kind, folder } }: EdgeConfig): string | undefined {
  if (kind === 'memory' || (kind === 'auto' && port === 0)) return undefined;
  return join(folder ?? join(stateFolder, `edge-${port}`), 'sessions.db');
}

/** Options of which only the names are shown, wherever they are: headers are as good as keys. */
const SECRET: ReadonlySet<string> = new Set(['keys', 'headers', 'secret', 'username', 'credential']);

/** The configuration as it may be shown: secrets hidden. */
export function redactConfig(config: EdgeConfig): unknown {
  const show = (name: string, value: unknown) => (SECRET.has(name) ? hidden(value) : value);
  return JSON.parse(JSON.stringify(config, show));
}

function hidden(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value === undefined ? undefined : '(hidden)';
  return Object.fromEntries(Object.keys(value).map((name) => [name, '(hidden)']));
}

function isIceUrl(text: string): boolean {
  try {
    parseIceUrl(text);
    return true;
  } catch {
    return false;
  }
}

function isProxy(text: string): boolean {
  try {
    trustedProxies([text]);
    return true;
  } catch {
    return false;
  }
}

function isWebUrl(text: string): boolean {
  return URL.canParse(text) && /^https?:$/.test(new URL(text).protocol);
}

function isOrigin(text: string): boolean {
  if (!/^[a-z][a-z\d+.-]*:\/\/[^/?#\s]+$/.test(text) || !URL.canParse(text)) return false;
  // Of a scheme of its own, such as an app's, URL knows no origin.
  const { origin } = new URL(text);
  return origin === 'null' || origin === text;
}

/** The bundle that ships with the project, in the repository and in the published package. */
function defaultBundle(): string {
  const places = ['../bundle', '../../../models/nano/bundle'].map((path) =>
    fileURLToPath(new URL(path, import.meta.url)),
  );
  return places.find((place) => existsSync(place)) ?? 'models/nano/bundle';
}
