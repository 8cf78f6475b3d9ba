import type { EngineId } from '../engine/engine-worker.js';

/** Late micro-turns in a row after which one call of an engine thread is too many: 5 s of 200 ms. */
const SHED_AFTER = 25;

/** What the policy looks at in a call. */
export interface Sheddable {
  readonly session: { readonly engine: EngineId; readonly engineLateInARow: number };
}

/**
 * The calls to end so that others can be kept in time. Policy: of each engine thread that is behind, the newest call, one at
 * a time and never the last. The oldest must be behind too, and not for a moment: then it is the thread that cannot keep
 * up, and not a call that has just come. Behind by its own clock: no call that is ended makes up for a main thread that is busy.
 * @param calls in the order in which they came
 */
export function callsToShed<C extends Sheddable>(calls: Iterable<C>): C[] {
  const byEngine = new Map<EngineId, C[]>();
  for (const call of calls) {
    const { engine } = call.session;
    byEngine.set(engine, [...(byEngine.get(engine) ?? []), call]);
  }
  return [...byEngine.values()].flatMap((together) => {
    const behind = together[0]!.session.engineLateInARow >= SHED_AFTER && together.length > 1;
    return behind ? [together.at(-1)!] : [];
  });
}
