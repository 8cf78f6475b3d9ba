import { MicroturnError } from '@microturn/protocol';
import { readFileSync } from 'node:fs';
import { parse as parseYaml } from 'yaml';
import { parseConfig, type EdgeConfig } from './config.js';
import { providerChoices } from './engine/types.js';
import { logLevels } from './telemetry/create-log.js';

/** Where an option can be set besides the file. One table makes the environment, the flags and their help. */
export const configOptions: readonly {
  readonly path: string;
  readonly flag: string;
  readonly env: string;
  readonly help: string;
  readonly kind: 'text' | 'number' | 'switch' | 'list' | 'keys' | 'yaml';
}[] = [
  {
    path: 'host',
    flag: '--host <address>',
    env: 'MICROTURN_HOST',
    help: 'address of HTTP and signaling',
    kind: 'text',
  },
  { path: 'port', flag: '--port <number>', env: 'MICROTURN_PORT', help: 'port of HTTP and signaling', kind: 'number' },
  {
    path: 'https.enabled',
    flag: '--https',
    env: 'MICROTURN_HTTPS',
    help: 'serve HTTPS, to the whole network unless --host says otherwise',
    kind: 'switch',
  },
  {
    path: 'https.cert',
    flag: '--cert <file>',
    env: 'MICROTURN_CERT',
    help: 'certificate in PEM, with its chain; else the edge makes its own',
    kind: 'text',
  },
  { path: 'https.key', flag: '--key <file>', env: 'MICROTURN_CERT_KEY', help: 'its private key', kind: 'text' },
  {
    path: 'keys',
    flag: '--keys <key:secret,...>',
    env: 'MICROTURN_KEYS',
    help: 'API keys and their secrets',
    kind: 'keys',
  },
  {
    path: 'dev',
    flag: '--dev',
    env: 'MICROTURN_DEV',
    help: 'give tokens to whoever asks at /dev/token',
    kind: 'switch',
  },
  { path: 'demo', flag: '--demo <folder>', env: 'MICROTURN_DEMO', help: 'serve a folder at /', kind: 'text' },
  {
    path: 'allowedOrigins',
    flag: '--allowed-origins <list>',
    env: 'MICROTURN_ALLOWED_ORIGINS',
    help: 'pages that may connect, by origin',
    kind: 'list',
  },
  {
    path: 'trustedProxies',
    flag: '--trusted-proxies <list>',
    env: 'MICROTURN_TRUSTED_PROXIES',
    help: 'proxies whose X-Forwarded-For says who calls',
    kind: 'list',
  },
  {
    path: 'webhooks.urls',
    flag: '--webhook-urls <list>',
    env: 'MICROTURN_WEBHOOK_URLS',
    help: 'where your server is told what happens in rooms',
    kind: 'list',
  },
  {
    path: 'resumeSeconds',
    flag: '--resume-seconds <number>',
    env: 'MICROTURN_RESUME_SECONDS',
    help: 'how long a session waits for a client that is away',
    kind: 'number',
  },
  {
    path: 'stateFolder',
    flag: '--state-folder <folder>',
    env: 'MICROTURN_STATE_FOLDER',
    help: 'what the edge makes and keeps: its certificate, and sessions',
    kind: 'text',
  },
  {
    path: 'logLevel',
    flag: '--log-level <level>',
    env: 'MICROTURN_LOG_LEVEL',
    help: logLevels.join(', '),
    kind: 'text',
  },
  {
    path: 'room.maxParticipants',
    flag: '--max-participants <number>',
    env: 'MICROTURN_MAX_PARTICIPANTS',
    help: 'people in one room',
    kind: 'number',
  },
  {
    path: 'media.listenIp',
    flag: '--media-ip <address>',
    env: 'MICROTURN_MEDIA_IP',
    help: 'address of the media port',
    kind: 'text',
  },
  {
    path: 'media.port',
    flag: '--media-port <number>',
    env: 'MICROTURN_MEDIA_PORT',
    help: 'UDP and TCP port of media',
    kind: 'number',
  },
  {
    path: 'media.announcedAddress',
    flag: '--announced-address <address>',
    env: 'MICROTURN_ANNOUNCED_ADDRESS',
    help: 'address that callers reach',
    kind: 'text',
  },
  {
    path: 'media.iceServers',
    flag: '--ice-servers <yaml>',
    env: 'MICROTURN_ICE_SERVERS',
    help: 'STUN and TURN servers, written as in the file',
    kind: 'yaml',
  },
  {
    path: 'media.workerBin',
    flag: '--worker-bin <file>',
    env: 'MEDIASOUP_WORKER_BIN',
    help: 'the mediasoup worker',
    kind: 'text',
  },
  { path: 'engine.bundle', flag: '--bundle <folder>', env: 'MICROTURN_BUNDLE', help: 'the model', kind: 'text' },
  {
    path: 'engine.rows',
    flag: '--rows <number>',
    env: 'MICROTURN_ROWS',
    help: 'participants that can talk at once',
    kind: 'number',
  },
  {
    path: 'engine.threads',
    flag: '--engine-threads <number>',
    env: 'MICROTURN_ENGINE_THREADS',
    help: 'threads that run the model',
    kind: 'number',
  },
  {
    path: 'engine.laneSize',
    flag: '--lane-size <number>',
    env: 'MICROTURN_LANE_SIZE',
    help: 'participants whose micro-turns are computed together',
    kind: 'number',
  },
  {
    path: 'engine.provider',
    flag: '--provider <name>',
    env: 'MICROTURN_PROVIDER',
    help: `where the model runs: ${providerChoices.join(', ')}`,
    kind: 'text',
  },
  {
    path: 'store.kind',
    flag: '--store <kind>',
    env: 'MICROTURN_STORE',
    help: 'where sessions are kept: auto, disk, memory',
    kind: 'text',
  },
  {
    path: 'store.folder',
    flag: '--data <folder>',
    env: 'MICROTURN_DATA',
    help: 'folder of the sessions on disk',
    kind: 'text',
  },
  {
    path: 'recipe',
    flag: '--recipe <name>',
    env: 'MICROTURN_RECIPE',
    help: 'the LLM that calls talk with; nano is the bundle alone',
    kind: 'text',
  },
  {
    path: 'recipes.default.llm.baseUrl',
    flag: '--llm-url <url>',
    env: 'MICROTURN_LLM_URL',
    help: 'an OpenAI-compatible LLM to talk with',
    kind: 'text',
  },
  {
    path: 'recipes.default.llm.model',
    flag: '--llm-model <name>',
    env: 'MICROTURN_LLM_MODEL',
    help: 'as its provider calls it',
    kind: 'text',
  },
  {
    path: 'recipes.default.llm.apiKeyEnv',
    flag: '--llm-key-env <name>',
    env: 'MICROTURN_LLM_KEY_ENV',
    help: 'the environment variable that holds its key',
    kind: 'text',
  },
  {
    path: 'background.documents',
    flag: '--documents <folder>',
    env: 'MICROTURN_DOCUMENTS',
    help: 'Markdown and text to look questions up in',
    kind: 'text',
  },
  { path: 'voice.name', flag: '--voice <name>', env: 'MICROTURN_VOICE', help: 'the voice that speaks', kind: 'text' },
];

const SWITCH: Readonly<Record<string, boolean>> = {
  '1': true,
  true: true,
  yes: true,
  '0': false,
  false: false,
  no: false,
};

type Tree = { [key: string]: unknown };

/** Flags win over the environment, and that over the file. @throws {MicroturnError} `edge/config` */
export function loadConfig({
  file,
  env,
  flags,
}: {
  readonly file: string | undefined;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** By option path. */
  readonly flags: Readonly<Record<string, unknown>>;
}): EdgeConfig {
  const tree = file === undefined ? {} : readConfigFile(file);
  for (const option of configOptions) {
    const value = flags[option.path] ?? env[option.env];
    if (value === undefined || value === '') continue;
    setPath(tree, option.path, typeof value === 'string' ? fromText(value, option.kind, option.env) : value);
  }
  return parseConfig(tree);
}

function readConfigFile(file: string): Tree {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (cause) {
    throw new MicroturnError('edge/config', `${file} cannot be read`, { cause });
  }
  try {
    // JSON is YAML, so one parser reads both.
    const tree: unknown = parseYaml(text) ?? {};
    if (typeof tree !== 'object' || Array.isArray(tree)) throw new TypeError('expected a mapping');
    return tree as Tree;
  } catch (cause) {
    throw new MicroturnError('edge/config', `${file}: ${cause instanceof Error ? cause.message : String(cause)}`, {
      cause,
    });
  }
}

function setPath(tree: Tree, path: string, value: unknown): void {
  const keys = path.split('.');
  const last = keys.pop() as string;
  let at = tree;
  for (const key of keys) {
    const branch = (at[key] ??= {});
    if (typeof branch !== 'object')
      throw new MicroturnError('edge/config', `${key}: expected a mapping in the file, where ${path} is set`);
    at = branch as Tree;
  }
  at[last] = value;
}

function fromText(text: string, kind: (typeof configOptions)[number]['kind'], name: string): unknown {
  switch (kind) {
    case 'text':
      return text;
    case 'number':
      return Number(text);
    case 'switch':
      if (!(text in SWITCH)) throw new MicroturnError('edge/config', `${name}: expected true or false, got ${text}`);
      return SWITCH[text];
    case 'list':
      return text.split(',').map((item) => item.trim());
    case 'yaml':
      try {
        return parseYaml(text);
      } catch {
        // Nor here: its errors show the line.
        throw new MicroturnError('edge/config', `${name}: expected YAML or JSON`);
      }
    case 'keys':
      return Object.fromEntries(
        text.split(',').map((pair) => {
          const colon = pair.indexOf(':');
          // Never quote the text: half of it is a secret.
          if (colon < 1)
            throw new MicroturnError('edge/config', `${name}: expected key:secret pairs, joined by commas`);
          return [pair.slice(0, colon).trim(), pair.slice(colon + 1).trim()];
        }),
      );
    default:
      return kind satisfies never;
  }
}
