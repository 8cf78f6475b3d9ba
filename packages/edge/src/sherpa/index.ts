export { ctcKinds, type CtcKind } from './model-folder.js';
export type { SherpaHostOptions } from './sherpa-host.js';
export { SherpaTranscriber, type SherpaTranscriberOptions } from './sherpa-transcriber.js';
export { sherpaVoice, type SherpaVoiceOptions } from './sherpa-voice.js';
