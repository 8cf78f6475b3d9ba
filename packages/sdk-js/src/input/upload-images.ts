import { MicroturnError, limits } from '@microturn/protocol';
import type { SessionRequest } from '../connection/transport.js';

/** Of a picture in one message; base64 takes a third more. */
const PIECE_BYTES = (limits.imagePieceChars / 4) * 3;

/**
 * Sends pictures to the edge in pieces, each when the one before has arrived, so that nothing else waits long behind them.
 * @returns their ids, for the question that they go with
 * @throws {MicroturnError} `protocol/too-large`, before anything was sent; `image/invalid`
 */
export async function uploadImages(
  images: readonly Blob[],
  send: (message: SessionRequest) => Promise<unknown>,
): Promise<string[]> {
  if (images.length > limits.images || images.some(({ size }) => size > limits.imageBytes)) {
    throw new MicroturnError('protocol/too-large', `at most ${limits.images} images of ${limits.imageBytes} bytes`);
  }
  const imageIds: string[] = [];
  for (const image of images) {
    const bytes = new Uint8Array(await read(image));
    const imageId = Math.random().toString(36).slice(2);
    imageIds.push(imageId);
    for (let from = 0, last = false; !last; from += PIECE_BYTES) {
      last = from + PIECE_BYTES >= bytes.length;
      const data = btoa(String.fromCharCode(...bytes.subarray(from, from + PIECE_BYTES)));
      await send({ type: 'image.append', imageId, data, last });
    }
  }
  return imageIds;
}

/** A file that was changed, or moved, after the user chose it cannot be read any more. */
function read(image: Blob): Promise<ArrayBuffer> {
  return image.arrayBuffer().catch((cause: unknown) => Promise.reject(MicroturnError.from(cause, 'image/invalid')));
}
