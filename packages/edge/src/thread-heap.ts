import { getHeapStatistics } from 'node:v8';

/** JavaScript heap of one thread, bytes: main's is in the metrics of its process, and no other's. */
export interface ThreadHeap {
  /** Objects, and garbage that was not collected yet. */
  readonly heapUsedBytes: number;
  /** What is taken from the system for them. */
  readonly heapHeldBytes: number;
}

/** Of the thread that asks. */
export function threadHeap(): ThreadHeap {
  const { used_heap_size: heapUsedBytes, total_heap_size: heapHeldBytes } = getHeapStatistics();
  return { heapUsedBytes, heapHeldBytes };
}
