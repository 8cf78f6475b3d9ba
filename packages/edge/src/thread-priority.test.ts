import { getPriority, setPriority } from 'node:os';
import { afterEach, describe, expect, it } from 'vitest';
import { favourThread } from './thread-priority.js';

describe('favourThread', () => {
  const before = getPriority();
  afterEach(() => {
    if (getPriority() !== before) setPriority(before);
  });

  it('raises the calling thread where that is allowed, and says whether it was', () => {
    const favoured = favourThread();
    expect(getPriority()).toBe(favoured ? -10 : before);
  });
});
