import { floors, type Floor } from '@microturn/protocol';
import type { Figure, Heard } from './heard.js';
import { Tally } from './share.js';

/**
 * Each floor by itself, micro-turn by micro-turn, as it is decided with the thresholds of the bundle: of those that are labelled with it the
 * share that is decided so (recall), and of those that are decided so the share that is labelled so (precision).
 */
export function floorClasses(heard: readonly Heard[]): Figure[] {
  const [recall, precision] = [tallies(), tallies()];
  for (const { session, track } of heard) {
    for (const [turn, decided] of (track.floors ?? []).entries()) {
      const labelled = floors[session.floor[turn]!]!;
      recall.get(labelled)!.add(decided === labelled, session);
      precision.get(decided)!.add(decided === labelled, session);
    }
  }
  const row = { suite: 'floor, by micro-turn', unit: 'share', better: 'higher' } as const;
  return floors.flatMap((floor) => [
    { ...row, measure: `${floor}, recall`, ...recall.get(floor)!.share },
    { ...row, measure: `${floor}, precision`, ...precision.get(floor)!.share },
  ]);
}

function tallies(): ReadonlyMap<Floor, Tally> {
  return new Map(floors.map((floor) => [floor, new Tally()]));
}
