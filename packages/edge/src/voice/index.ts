export { fliteVoices, type FliteVoiceName } from './flite.js';
export type { SpokenClause } from './messages.js';
export { openVoice, type VoiceSpec } from './open-voice.js';
export { ToneVoice, type ToneVoiceOptions } from './tone-voice.js';
export type { SpeechClause, Voice } from './types.js';
export { type SpeakRequest, VoiceHost, type VoiceHostOptions, voiceQueue } from './voice-host.js';
