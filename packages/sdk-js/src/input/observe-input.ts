import { limits } from '@microturn/protocol';
import type { Clock } from '../clock.js';

/** A field that people type into. */
export type TypedField = HTMLInputElement | HTMLTextAreaElement | HTMLElement;

export interface ObserveInputOptions {
  /** What the agent knows the field by; its `name`, `id` or `aria-label` where none is given. */
  readonly name?: string;
  /** At most one edit in this time is sent, ms; the newest. */
  readonly throttleMs?: number;
}

const THROTTLE_MS = 300;
/** How often a field is looked at in which something stands: no event tells that a page has emptied one, or taken it away. */
const LOOK_MS = 1000;
/** What is typed into these is nobody's business. */
const SECRET_TYPES: ReadonlySet<string> = new Set(['password', 'hidden', 'file']);
const SECRET_AUTOCOMPLETE = /\b(current-password|new-password|one-time-code|cc-[a-z-]+)\b/i;

const PRIVATE = 'data-microturn-private';

/**
 * Whether a field is masked, by what the page says of it: passwords, codes, cards, and whatever is marked
 * `data-microturn-private`, itself or around it. Looked at for every edit: a page may change its mind.
 */
export function isMasked(element: TypedField): boolean {
  const { type = '', autocomplete = '' } = element as Partial<HTMLInputElement>;
  if (SECRET_TYPES.has(type) || SECRET_AUTOCOMPLETE.test(autocomplete)) return true;
  if (element.closest(`[${PRIVATE}]`)) return true;
  // Around what is inside of a component is what is around the component.
  const { host } = element.getRootNode() as Partial<ShadowRoot>;
  return typeof host === 'object' && isMasked(host as HTMLElement);
}

/** What stands in a node, without the parts of it that are private. */
function textOf(node: Node): string {
  if (node.nodeType === node.TEXT_NODE) return node.nodeValue ?? '';
  // No `instanceof`: it may be of another window.
  if ((node as Partial<Element>).hasAttribute?.(PRIVATE)) return '';
  return Array.from(node.childNodes, textOf).join('');
}

export interface ObservedField {
  /** Whoever is told now may not know what was told before. */
  tellAgain(this: void): void;
  /** Of a message that is sent: a field that holds it, or that the page has emptied for it, stands empty from then on. */
  sent(this: void, message: string): void;
  /** Ends it, and says that the field stands empty. */
  stop(this: void): void;
}

/**
 * Tells the edits of one field, throttled; what an input method composes, once that has ended. Of a masked field nothing is
 * told, not even that it is edited.
 */
export function observeInput(
  element: TypedField,
  { name, throttleMs = THROTTLE_MS }: ObserveInputOptions,
  tell: (field: string, text: string) => void,
  clock: Clock,
): ObservedField {
  const { name: given = '', id } = element as Partial<HTMLInputElement>;
  const field = (name ?? (given || id || element.getAttribute('aria-label') || 'text')).slice(0, limits.fieldChars);
  let told = '';
  /** What was sent of it: no news, whether the page empties the field or leaves it. */
  let done: string | undefined;
  let cancel: (() => void) | undefined;
  let stopLooking: (() => void) | undefined;
  /** An input method (Chinese, Japanese, Korean) is at work: what stands in the field is not what will. */
  let composing = false;
  let wasPassword = false;
  /** A password that is shown in the clear for a moment is still one. */
  const isSecret = () => {
    wasPassword ||= (element as Partial<HTMLInputElement>).type === 'password';
    return wasPassword || isMasked(element);
  };
  const flush = (again = false) => {
    cancel?.();
    cancel = undefined;
    // One that the page has taken away is none, whether or not it said so here.
    if (isSecret() || !element.isConnected) {
      forget();
      return;
    }
    const whole = read();
    // What is typed last counts.
    const settled = whole.trim() === done ? '' : whole.slice(-limits.typedChars);
    const text = composing ? told : settled;
    if (text === told && !again) return;
    say(text);
    cancel = clock.after(throttleMs, () => flush());
  };
  const read = () => {
    const { value } = element as { readonly value?: unknown };
    return typeof value === 'string' ? value : textOf(element);
  };
  const say = (text: string) => {
    told = text;
    if (text !== '') stopLooking ??= clock.every(LOOK_MS, edited);
    else {
      stopLooking?.();
      stopLooking = undefined;
    }
    tell(field, text);
  };
  const forget = () => {
    if (told !== '') say('');
  };
  const edited = () => {
    if (isSecret() || !cancel) flush();
  };
  const listeners = {
    input: () => {
      // A composition may yet come to nothing.
      if (!composing) done = undefined;
      edited();
    },
    compositionstart: () => {
      composing = true;
    },
    compositionend: () => {
      composing = false;
      edited();
    },
    // No event tells the end of a composition whose field was taken away, and put back later.
    focus: () => {
      composing = false;
    },
  };
  isSecret();
  for (const [type, listener] of Object.entries(listeners)) element.addEventListener(type, listener);
  return {
    tellAgain() {
      if (told !== '') flush(true);
    },
    sent(message) {
      const text = read().trim();
      // No event tells that a page has emptied a field.
      if (text !== '' && text !== message) return;
      done = message;
      forget();
    },
    stop() {
      for (const [type, listener] of Object.entries(listeners)) element.removeEventListener(type, listener);
      cancel?.();
      forget();
    },
  };
}
