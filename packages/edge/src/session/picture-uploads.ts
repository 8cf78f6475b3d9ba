import { MicroturnError, limits } from '@microturn/protocol';
import { assertPictureSize, pictureKind } from '../picture.js';

interface Upload {
  readonly chunks: Uint8Array[];
  bytes: number;
  complete: boolean;
}

/** The pictures of one session that its page sends piece by piece, until they are used. */
export class PictureUploads {
  /** By the page's ids. Policy: dropOldest, which a page that was left halfway does not come back for. */
  readonly #uploads = new Map<string, Upload>();

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
    if (upload.bytes === 0) pictureKind(chunk);
    upload.chunks.push(chunk);
    upload.bytes += chunk.length;
    assertPictureSize(upload.bytes);
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
}
