import { Observable, Subject } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { newest } from './newest.js';

describe('newest', () => {
  function setUp() {
    const source = new Subject<string>();
    const inner: Record<string, Subject<number>> = { a: new Subject(), b: new Subject() };
    const seen: unknown[] = [];
    const subscription = newest(source, (name) => inner[name]!).subscribe({
      next: (value) => seen.push(value),
      error: (error) => seen.push(error),
      complete: () => seen.push('complete'),
    });
    return { source, a: inner['a']!, b: inner['b']!, seen, subscription };
  }

  it('follows the newest alone, and completes when that and the source have', () => {
    const { source, a, b, seen } = setUp();
    source.next('a');
    a.next(1);
    source.next('b');
    a.next(2);
    expect(a.observed).toBe(false);
    b.next(3);
    source.complete();
    b.next(4);
    b.complete();
    expect(seen).toEqual([1, 3, 4, 'complete']);
  });

  it('goes on where what it follows completes, and completes with the source where there is nothing to follow', () => {
    const { source, a, seen } = setUp();
    source.next('a');
    a.complete();
    expect(seen).toEqual([]);
    source.complete();
    expect(seen).toEqual(['complete']);
  });

  it('lets go of both at once, and of both where one fails', () => {
    const left = setUp();
    left.source.next('a');
    left.subscription.unsubscribe();
    expect([left.source.observed, left.a.observed]).toEqual([false, false]);
    const failed = setUp();
    failed.source.next('a');
    failed.a.error('why');
    expect([failed.seen, failed.source.observed, failed.a.observed]).toEqual([['why'], false, false]);
  });

  it('follows the newest where a value brings the next while it is subscribed to', () => {
    const source = new Subject<number>();
    const followed = new Set<number>();
    const subscription = newest(
      source,
      (value) =>
        new Observable<never>(() => {
          followed.add(value);
          if (value === 1) source.next(2);
          return () => followed.delete(value);
        }),
    ).subscribe();
    source.next(1);
    expect([...followed]).toEqual([2]);
    subscription.unsubscribe();
    expect(followed.size).toBe(0);
  });
});
