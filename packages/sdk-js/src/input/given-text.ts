import { MicroturnError } from '@microturn/protocol';

/** @throws {MicroturnError} `protocol/malformed` where there is no text, as an edge says of an empty one */
export function givenText(text: unknown, mayBeBlank = false): string {
  if (typeof text === 'string' && (mayBeBlank || text.trim())) return text;
  throw new MicroturnError(
    'protocol/malformed',
    `expected a text, got ${typeof text === 'string' ? 'a blank one' : typeof text}`,
  );
}
