import { anyLlm } from './any-llm.js';
import { background } from './background.js';
import { churn } from './churn.js';
import { cutToSilence } from './cut-to-silence.js';
import { echoPath } from './echo-path.js';
import { engineLanes } from './engine-lanes.js';
import { engineStep } from './engine-step.js';
import { feltSpeed } from './felt-speed.js';
import { firstAudio } from './first-audio.js';
import { flatHour } from './flat-hour.js';
import { idleSockets } from './idle-sockets.js';
import type { Benchmark } from './lib/benchmark.js';
import { joinStorm } from './join-storm.js';
import { largeBundle } from './large-bundle.js';
import { livePauses } from './live-pauses.js';
import { loopDelay } from './loop-delay.js';
import { mediaPath } from './media-path.js';
import { pageLoad } from './page-load.js';
import { resume } from './resume.js';
import { rssPerSession } from './rss-per-session.js';
import { sdkSize } from './sdk-size.js';
import { sessionDensity } from './session-density.js';
import { selfInterruption } from './self-interruption.js';
import { sessionsPerCore } from './sessions-per-core.js';
import { threadPriority } from './thread-priority.js';
import { turnLag } from './turn-lag.js';
import { whereTimeGoes } from './where-time-goes.js';

/** In the order of the published table. */
export const benchmarks: readonly Benchmark[] = [
  mediaPath,
  echoPath,
  engineStep,
  engineLanes,
  flatHour,
  largeBundle,
  turnLag,
  threadPriority,
  firstAudio,
  cutToSilence,
  feltSpeed,
  selfInterruption,
  background,
  whereTimeGoes,
  anyLlm,
  livePauses,
  sessionsPerCore,
  sessionDensity,
  rssPerSession,
  joinStorm,
  idleSockets,
  resume,
  churn,
  sdkSize,
  pageLoad,
  loopDelay,
];
