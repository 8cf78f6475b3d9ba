import { describe, expect, it } from 'vitest';
import { RowPool } from './row-pool.js';

describe('RowPool', () => {
  it('lends the lowest free row', () => {
    const pool = new RowPool(3);
    const [a, b] = [pool.lease(), pool.lease()];
    expect([a.row, b.row, pool.free]).toEqual([0, 1, 1]);
    a.release();
    expect(pool.lease().row).toBe(0);
  });

  it('lends a row that is preferred where one is free, and the lowest where none is', () => {
    const pool = new RowPool(4);
    const even = (row: number) => row % 2 === 0;
    expect([1, 2, 3].map(() => pool.lease(even).row)).toEqual([0, 2, 1]);
  });

  it('says that it is full', () => {
    const pool = new RowPool(1);
    pool.lease();
    expect(() => pool.lease()).toThrow(expect.objectContaining({ code: 'edge/full' }));
  });

  it('takes a row back once, whoever has it now', () => {
    const pool = new RowPool(1);
    const first = pool.lease();
    first.release();
    pool.lease();
    first.release();
    expect(pool.free).toBe(0);
  });

  it('takes a row back at the end of a `using` block', () => {
    const pool = new RowPool(1);
    {
      using lease = pool.lease();
      expect([lease.row, pool.free]).toEqual([0, 0]);
    }
    expect(pool.free).toBe(1);
  });

  it.each([0, -1, 1.5, NaN])('refuses %d rows', (rows) => {
    expect(() => new RowPool(rows)).toThrow(RangeError);
  });
});
