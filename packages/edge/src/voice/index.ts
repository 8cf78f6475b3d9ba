export { fliteVoices, type FliteVoiceName } from './flite.js';
export { inManner, plainly, type Manner } from './manner.js';
export type { SpokenClause } from './messages.js';
export { openVoice, type VoiceSpec } from './open-voice.js';
export { REHEARSED } from './rehearsing-voice.js';
export { ToneVoice, type ToneVoiceOptions } from './tone-voice.js';
export type { SpeechClause, Voice } from './types.js';
export { type SpeakRequest, VoiceHost, type VoiceHostOptions, voiceQueue } from './voice-host.js';
