import type { SessionEventBody } from '@microturn/protocol';

type Usage = SessionEventBody & { type: 'session.usage' };
export type ServiceCounts = Pick<Usage, 'transcriber' | 'voice'>;

/** What a process that is gone had counted, and this one has. */
export function addCounts(a: ServiceCounts | undefined, b: ServiceCounts): ServiceCounts {
  const [heard, spoke] = [a?.transcriber, a?.voice];
  const transcriber = b.transcriber ?? heard;
  const voice = b.voice ?? spoke;
  return {
    ...(transcriber && { transcriber: b.transcriber && heard ? addHeard(heard, b.transcriber) : transcriber }),
    ...(voice && { voice: b.voice && spoke ? addSpoken(spoke, b.voice) : voice }),
  };
}

function addHeard(a: NonNullable<Usage['transcriber']>, b: typeof a): typeof a {
  return { requests: a.requests + b.requests, seconds: a.seconds + b.seconds };
}

function addSpoken(a: NonNullable<Usage['voice']>, b: typeof a): typeof a {
  return { characters: a.characters + b.characters, seconds: a.seconds + b.seconds };
}
