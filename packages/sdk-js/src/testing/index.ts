export { ManualClock, settled } from './manual-clock.js';
export { FakeAudioElement, FakeMedia, FakeTrack } from './fake-media.js';
export {
  ScriptedTransport,
  scriptedTransport,
  type PublishedTrack,
  type ScriptedOptions,
  type ScriptedTrack,
} from './scripted-transport.js';
