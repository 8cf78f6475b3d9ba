/** How often a model is told again of what still waits for its word. */
const AGAIN_MS = 2000;

/** `held`: something else is being said, and a word now would be lost. `taken`: it is being said, or nobody is there to hear it. */
export type OfferState = 'waits' | 'held' | 'taken' | 'void';

/**
 * What a model is told in one micro-turn of something that waits for its word: at once, again every two seconds while it
 * waits, and once when what it was told of is void.
 * @param toldAtMs when it was told last; undefined where it knows of nothing
 */
export function tellOffer(
  toldAtMs: number | undefined,
  state: OfferState,
  atMs: number,
): { readonly toldAtMs: number | undefined; readonly tell: 'offered' | 'dropped' | undefined } {
  switch (state) {
    case 'waits':
      if (toldAtMs !== undefined && atMs - toldAtMs < AGAIN_MS) return { toldAtMs, tell: undefined };
      return { toldAtMs: atMs, tell: 'offered' };
    case 'held':
      return { toldAtMs, tell: undefined };
    case 'taken':
      return { toldAtMs: undefined, tell: undefined };
    case 'void':
      return { toldAtMs: undefined, tell: toldAtMs === undefined ? undefined : 'dropped' };
    default:
      return state satisfies never;
  }
}
