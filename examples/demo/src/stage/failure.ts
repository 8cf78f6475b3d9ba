import type { ErrorCode } from '@microturn/sdk';

const titles: Readonly<Partial<Record<ErrorCode, string>>> = {
  'auth/no-endpoint': 'This edge gives no tokens.',
  'media/permission': 'The microphone was refused.',
  'media/not-found': 'There is no microphone.',
  'media/in-use': 'The microphone is busy.',
  'media/insecure': 'This page may not use a microphone.',
  'media/unsupported': 'This browser cannot do it.',
  'net/unreachable': 'The edge does not answer.',
  'net/timeout': 'The edge does not answer.',
  'net/ice-failed': 'Sound cannot get through.',
  'net/closed': 'The line was cut.',
  'edge/full': 'Every place is taken.',
  'edge/draining': 'The edge is shutting down.',
  'edge/worker-died': 'The edge lost its media.',
  'session/replaced': 'You joined somewhere else.',
  'session/expired': 'The call cannot be resumed.',
};

/** What went wrong, in the fewest words. */
export function titleOf(code: ErrorCode): string {
  return titles[code] ?? 'The call did not work.';
}

/** Whether the call could be joined without a microphone instead. */
export function canListen(code: ErrorCode): boolean {
  return code.startsWith('media/');
}
