import { limits, parseClientMessage, type ClientMessageOf } from '@microturn/protocol';
import { describe, expect, it } from 'vitest';
import type { SessionRequest } from '../connection/transport.js';
import { uploadImages } from './upload-images.js';

type Piece = ClientMessageOf<'image.append'>;

/** Takes what is sent as an edge does: one message after the other, each within its limits. */
function edge() {
  const pieces: Piece[] = [];
  let open = 0;
  const send = async (message: SessionRequest) => {
    expect(++open).toBe(1);
    const text = JSON.stringify({ id: 1, ...message });
    expect(text.length).toBeLessThanOrEqual(limits.messageBytes);
    pieces.push(parseClientMessage(JSON.parse(text)) as Piece);
    await Promise.resolve();
    open--;
  };
  const bytesOf = (id: string) => {
    const text = pieces.map(({ imageId, data }) => (imageId === id ? atob(data) : '')).join('');
    return Uint8Array.from({ length: text.length }, (_, i) => text.charCodeAt(i));
  };
  return { pieces, send, bytesOf };
}

const bytes = (length: number) => Uint8Array.from({ length }, (_, i) => i % 251);

describe('pictures on their way to the edge', () => {
  it.each([1, 44_999, 45_000, 45_001, limits.imageBytes])('%i bytes come whole, in pieces', async (length) => {
    const { pieces, send, bytesOf } = edge();
    const [id] = await uploadImages([new Blob([bytes(length)])], send);
    const arrived = bytesOf(id!);
    expect(arrived).toHaveLength(length);
    expect(bytes(length).findIndex((byte, i) => byte !== arrived[i])).toBe(-1);
    expect(pieces.map(({ last }) => last)).toEqual(pieces.map((_, i) => i === pieces.length - 1));
  });

  it('have ids of their own', async () => {
    const { send, bytesOf } = edge();
    const ids = await uploadImages([new Blob([bytes(10)]), new Blob([bytes(20)])], send);
    expect(ids.map((id) => bytesOf(id).length)).toEqual([10, 20]);
  });

  it.each([
    ['one that is too large', [new Blob([bytes(limits.imageBytes + 1)])]],
    ['too many', Array.from({ length: limits.images + 1 }, () => new Blob([bytes(1)]))],
  ])('%s: none is sent', async (_what, images) => {
    const { pieces, send } = edge();
    await expect(uploadImages(images, send)).rejects.toMatchObject({ code: 'protocol/too-large' });
    expect(pieces).toEqual([]);
  });

  it('stop at what the edge refuses', async () => {
    let sent = 0;
    const refused = uploadImages([new Blob([bytes(limits.imageBytes)])], () => {
      sent++;
      return Promise.reject(new Error('no picture'));
    });
    await expect(refused).rejects.toThrow('no picture');
    expect(sent).toBe(1);
  });

  it('says with a code that a file cannot be read, as one that was changed after it was chosen', async () => {
    const file = new Blob(['x']);
    file.arrayBuffer = () => Promise.reject(new DOMException('changed', 'NotReadableError'));
    await expect(uploadImages([file], () => Promise.resolve())).rejects.toMatchObject({
      name: 'MicroturnError',
      code: 'image/invalid',
    });
  });
});
