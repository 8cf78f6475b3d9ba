import { limits } from '@microturn/protocol';
import type { StepBuilder } from './step-builder.js';
import type { TurnTakingInput } from './turn-state.js';

/** What is shown is seen with the next question. Of more pictures than fit one, those of the oldest name make room. */
export function noteShown(step: StepBuilder, { name, pictures }: TurnTakingInput & { type: 'shown' }): void {
  const shown = new Map(step.state.shown);
  shown.delete(name);
  if (pictures.length > 0) shown.set(name, pictures);
  let count = 0;
  for (const { length } of shown.values()) count += length;
  for (const [oldest, { length }] of shown) {
    if (count <= limits.images) break;
    count -= length;
    shown.delete(oldest);
  }
  step.set({ shown });
}
