import type { EdgeConfig } from '../config.js';
import { EngineHost } from '../engine/index.js';
import { OpusDecoder, OpusEncoder } from '../media/opus.js';
import { silentLog } from '../telemetry/index.js';
import { VoiceHost } from '../voice/index.js';
import { checkAddresses } from './check-addresses.js';
import { checkCertificate } from './check-certificate.js';
import { checkIceServers } from './check-ice-servers.js';
import { checkHttpPort, checkMediaPort } from './check-ports.js';
import type { CheckResult } from './check-result.js';
import { loopbackCall } from './loopback-call.js';

type Check = (config: EdgeConfig) => Promise<CheckResult>;

const ok = (detail: string): CheckResult => ({ status: 'ok', detail });
const NODE_MAJOR = 20;

/** In the order in which a first run would meet them. */
export const checks: readonly (readonly [name: string, check: Check])[] = [
  ['node', checkNode],
  ['keys', checkKeys],
  ['http port', checkHttpPort],
  ['media port', checkMediaPort],
  ['https certificate', checkCertificate],
  ['addresses', checkAddresses],
  ['ice servers', checkIceServers],
  ['worker', checkWorker],
  ['model', checkModel],
  ['voice', checkVoice],
  ['codec', checkCodec],
  ['loopback call', loopbackCall],
];

async function checkNode(): Promise<CheckResult> {
  const major = Number(process.versions.node.split('.')[0]);
  if (major >= NODE_MAJOR) return ok(process.version);
  return { status: 'fail', detail: process.version, fix: `install Node ${NODE_MAJOR} or newer` };
}

async function checkKeys({ keys, dev }: EdgeConfig): Promise<CheckResult> {
  const count = Object.keys(keys).length;
  if (count > 0) return ok(`${count} API key${count === 1 ? '' : 's'}`);
  return {
    status: 'warn',
    detail: dev ? 'none: --dev makes one at every start' : 'none',
    fix: 'run `microturn keys` and put the result into the configuration; `--dev` needs none',
  };
}

async function checkWorker({ media }: EdgeConfig): Promise<CheckResult> {
  // mediasoup looks for it when it is loaded, so it is loaded here and not before.
  if (media.workerBin !== undefined) process.env['MEDIASOUP_WORKER_BIN'] = media.workerBin;
  const { RtcServer } = await import('../rtc/index.js');
  const server = await RtcServer.create({ listenIp: '127.0.0.1', port: 0, onDied() {} });
  await server.close();
  return ok(media.workerBin ?? 'the one that came with mediasoup');
}

async function checkModel({ engine }: EdgeConfig): Promise<CheckResult> {
  const host = await EngineHost.start({
    bundleDir: engine.bundle,
    rows: 1,
    provider: engine.provider,
    log: silentLog,
  });
  try {
    const { name, version, microTurnMs, capabilities } = host.info;
    return ok(`${name} ${version}, ${microTurnMs} ms micro-turns: ${capabilities.join(', ')}`);
  } finally {
    await host.close();
  }
}

async function checkVoice({ voice: { name } }: EdgeConfig): Promise<CheckResult> {
  const host = await VoiceHost.start({ ...(name !== undefined && { voice: name }), log: silentLog });
  // Speech goes to whoever holds this port; here nobody listens.
  const port = host.connect();
  try {
    const { lengthMs } = await host.speak({
      voiceKey: 'doctor',
      responseId: 'doctor',
      text: 'ready',
      last: true,
      onClause() {},
    });
    return ok(`speaks: one word is ${Math.round(lengthMs)} ms long`);
  } finally {
    port.close();
    await host.close();
  }
}

async function checkCodec(): Promise<CheckResult> {
  const rateHz = 16_000;
  const frame = Float32Array.from({ length: rateHz / 50 }, (_, i) => 0.5 * Math.sin((2 * Math.PI * 440 * i) / rateHz));
  const encoder = new OpusEncoder(rateHz);
  const decoder = new OpusDecoder(rateHz);
  let pcm: Float32Array | undefined;
  // The first frames fade in.
  for (let i = 0; i < 5; i++) pcm = decoder.decode(encoder.encode(frame));
  const level = Math.sqrt((pcm ?? new Float32Array()).reduce((sum, x) => sum + x * x, 0) / frame.length);
  if (pcm?.length !== frame.length || level < 0.2) {
    return { status: 'fail', detail: 'a tone did not survive Opus', fix: 'install the dependencies again (`npm ci`)' };
  }
  return ok('Opus both ways');
}
