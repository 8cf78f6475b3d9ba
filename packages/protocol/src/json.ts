import { MicroturnError } from './errors.js';
import { limits } from './limits.js';

/**
 * Parses the text of one message, and refuses deep nesting before `JSON.parse` recurses into it.
 * @param maxChars what a client may send, unless the message comes from the edge
 * @throws {MicroturnError} `protocol/too-large` above the limits, `protocol/malformed` where it is not JSON
 */
export function decodeJson(text: string, maxChars: number = limits.messageBytes): unknown {
  if (text.length > maxChars) throw new MicroturnError('protocol/too-large', `${text.length} characters`);
  const depth = jsonDepth(text);
  if (depth > limits.messageDepth) throw new MicroturnError('protocol/too-large', `${depth} levels of nesting`);
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new MicroturnError('protocol/malformed', 'not JSON', { cause });
  }
}

/** Deepest nesting of brackets outside strings; the text need not be valid. */
export function jsonDepth(text: string): number {
  let depth = 0;
  let deepest = 0;
  let inString = false;
  for (let i = 0; i < text.length; i++) {
    const c = text.charCodeAt(i);
    if (inString) {
      if (c === 0x5c) i++;
      else if (c === 0x22) inString = false;
    } else if (c === 0x22) inString = true;
    else if (c === 0x7b || c === 0x5b) deepest = Math.max(deepest, ++depth);
    else if (c === 0x7d || c === 0x5d) depth--;
  }
  return deepest;
}
