import type { Yield } from './bundle-listener.js';
import type { Figure } from './heard.js';
import { FALSE_YIELDS, MEDIAN_GAP, turnTaking } from './measures.js';
import type { Session } from './test-sets.js';

const THRESHOLDS = [0, 0.3, 0.4, 0.5, 0.6, 0.7, 0.75, 0.8, 0.85, 0.9, 0.93, 0.95, 0.97, 0.98, 0.99, 0.995];

/** How another listener takes turns: its gap is what is to be beaten, at no more pauses taken for the end. */
export interface Rival {
  readonly name: string;
  readonly falseYields: number;
}

/**
 * The gap of a bundle where its threshold of `yielded` is set so that it takes no more pauses for the end than a rival: whose
 * gap is the shorter then, is ahead.
 * @param yields by session, as `likelyYields` gives them
 */
export function atEqualFalseYields(
  sessions: readonly Session[],
  yields: readonly (readonly Yield[])[],
  rivals: readonly Rival[],
): Figure[] {
  const curve = THRESHOLDS.map((threshold) => {
    const heard = sessions.map((session, i) => {
      const moments = yields[i]!.filter(({ confidence }) => confidence >= threshold).map(({ at }) => at);
      return { session, reads: false, track: { yields: moments, stops: [], words: [], says: [], shows: [] } };
    });
    const figures = turnTaking(heard);
    return { falseYields: named(figures, FALSE_YIELDS).value ?? 0, gap: named(figures, MEDIAN_GAP) };
  });
  return rivals.map(({ name, falseYields }) => {
    const allowed = curve.filter((point) => point.falseYields <= falseYields);
    const best = allowed.reduce<Figure | undefined>(
      (least, { gap }) => ((gap.value ?? Infinity) < (least?.value ?? Infinity) ? gap : least),
      undefined,
    );
    const none = { value: undefined, n: sessions.length, low: 0, high: Infinity };
    return { ...(best ?? { unit: 's', better: 'lower', ...none }), ...rowOf(name) };
  });
}

/** What a rival is measured by there: its own gap. */
export function ownGap(name: string, figures: readonly Figure[]): Figure {
  return { ...named(figures, MEDIAN_GAP), ...rowOf(name) };
}

function named(figures: readonly Figure[], measure: string): Figure {
  return figures.find((figure) => figure.measure === measure)!;
}

const rowOf = (name: string) => ({
  suite: 'gap at equal false yields',
  measure: `median gap at the false yields of ${name}`,
});
