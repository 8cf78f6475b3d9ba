import { MicroturnError, limits } from '@microturn/protocol';

/** A picture that goes with a task. */
export interface TaskImage {
  readonly mediaType: 'image/jpeg' | 'image/png' | 'image/webp';
  readonly bytes: Uint8Array;
}

/** Pictures that a session's tasks may have at once; policy: reject. */
const ATTACHED = 8;
/** What pictures of each kind begin with. */
const kinds: readonly (readonly [TaskImage['mediaType'], (head: string) => boolean])[] = [
  ['image/jpeg', (head) => head.startsWith('\xff\xd8\xff')],
  ['image/png', (head) => head.startsWith('\x89PNG\r\n\x1a\n')],
  ['image/webp', (head) => head.startsWith('RIFF') && head.startsWith('WEBP', 8)],
];
const HEAD_BYTES = 12;

interface Upload {
  readonly chunks: Uint8Array[];
  bytes: number;
  complete: boolean;
}

/** The pictures of one session: those that its page sends piece by piece, and those that belong to its tasks. */
export class Images {
  /** By the page's ids. Policy: dropOldest, which a page that was left halfway does not come back for. */
  readonly #uploads = new Map<string, Upload>();
  readonly #attached = new Map<string, readonly TaskImage[]>();

  /**
   * One more piece of a picture.
   * @throws {MicroturnError} `image/invalid` where it does not begin like a picture, or goes on after its end,
   *   `protocol/too-large` beyond `limits.imageBytes`
   */
  append({ imageId, data, last }: { imageId: string; data: string; last: boolean }): void {
    const chunk = Buffer.from(data, 'base64');
    const upload = this.#uploads.get(imageId) ?? { chunks: [], bytes: 0, complete: false };
    // Put in again where it is taken.
    this.#uploads.delete(imageId);
    if (upload.complete) throw new MicroturnError('image/invalid', 'it is complete already');
    if (upload.bytes === 0) assertKind(chunk);
    upload.chunks.push(chunk);
    upload.bytes += chunk.length;
    assertSize(upload.bytes);
    upload.complete = last;
    this.#uploads.set(imageId, upload);
    const [oldest] = this.#uploads.keys();
    if (this.#uploads.size > limits.images && oldest !== undefined) this.#uploads.delete(oldest);
  }

  /** Hands complete pictures out, once. @throws {MicroturnError} `image/invalid` where there is none of that id */
  take(imageIds: readonly string[]): readonly Uint8Array[] {
    return imageIds.map((id) => {
      const upload = this.#uploads.get(id);
      if (!upload?.complete) throw new MicroturnError('image/invalid', 'it did not come to its end');
      this.#uploads.delete(id);
      return Buffer.concat(upload.chunks);
    });
  }

  /**
   * Keeps pictures for a task, until it is over.
   * @throws {MicroturnError} `image/invalid`, `protocol/too-large`, or `task/full` where the tasks have too many
   */
  attach(taskId: string, images: readonly Uint8Array[]): void {
    if (images.length === 0) return;
    const attached = [...this.#attached.values()].reduce((sum, { length }) => sum + length, images.length);
    if (images.length > limits.images)
      throw new MicroturnError('protocol/too-large', `at most ${limits.images} images`);
    if (attached > ATTACHED) throw new MicroturnError('task/full', `at most ${ATTACHED} images are kept for them`);
    for (const { length } of images) assertSize(length);
    this.#attached.set(
      taskId,
      images.map((bytes) => ({ mediaType: assertKind(bytes), bytes })),
    );
  }

  of(taskId: string): readonly TaskImage[] {
    return this.#attached.get(taskId) ?? [];
  }

  /** Those of all other tasks are dropped. */
  keep(taskIds: ReadonlySet<string>): void {
    for (const id of this.#attached.keys()) if (!taskIds.has(id)) this.#attached.delete(id);
  }
}

/** By its first bytes, whatever it was said to be. @throws {MicroturnError} `image/invalid` */
function assertKind(bytes: Uint8Array): TaskImage['mediaType'] {
  const head = Buffer.from(bytes.subarray(0, HEAD_BYTES)).toString('latin1');
  const kind = kinds.find(([, begins]) => begins(head))?.[0];
  if (!kind) throw new MicroturnError('image/invalid', 'it is no JPEG, PNG or WebP');
  return kind;
}

function assertSize(bytes: number): void {
  if (bytes > limits.imageBytes)
    throw new MicroturnError('protocol/too-large', `an image of more than ${limits.imageBytes} bytes`);
}
