import type { Participant as WireParticipant } from '@microturn/protocol';
import { MicroturnError, limits } from '@microturn/protocol';
import { describe, expect, it } from 'vitest';
import { codeOf, connected, setUp } from './fixtures/scripted-session.js';
import type { InteractionSession } from './index.js';
import { settled } from './testing/index.js';

const ann = (muted?: boolean): WireParticipant => ({
  identity: 'ann',
  attributes: {},
  away: false,
  speaking: false,
  tracks: muted === undefined ? [] : [{ id: 'p1', source: 'camera', kind: 'video', muted }],
});
const live = (parts: Awaited<ReturnType<typeof connected>>) =>
  parts.transport.published.filter(({ closed }) => !closed).map(({ source }) => source);

describe('the camera of a session', () => {
  it('is off until it is enabled, sent over every link of the call, and off after it', async () => {
    const parts = await connected();
    const { session, transport, clock } = parts;
    expect([session.camera.state.value.status, live(parts)]).toEqual(['off', ['microphone']]);
    await session.camera.enable();
    await session.screen.enable();
    const [, camera, screen] = transport.media.opened;
    expect(live(parts)).toEqual(['microphone', 'camera', 'screen']);
    transport.drop();
    await clock.run(500);
    expect(session.connection.value.status).toBe('connected');
    expect(live(parts)).toEqual(['microphone', 'camera', 'screen']);
    expect([camera?.readyState, screen?.readyState]).toEqual(['live', 'live']);
    await session.disconnect();
    expect([camera?.readyState, screen?.readyState]).toEqual(['ended', 'ended']);
    await session.connect();
    expect(live(parts)).toEqual(['microphone']);
    await session.close();
    expect(await codeOf(session.camera.enable())).toBe('session/closed');
    expect([clock.pending, transport.media.listeners]).toEqual([0, 0]);
  });

  it('may be on before the call, which does not fail because of it', async () => {
    const parts = setUp();
    const { session, transport } = parts;
    transport.answer('produce', ({ source }) => {
      if (source === 'camera') throw new MicroturnError('auth/forbidden', 'canPublish for camera');
      return { producerId: `producer-of-${source}` };
    });
    const errors: string[] = [];
    session.errors.subscribe(({ code }) => errors.push(code));
    await session.camera.enable();
    await session.connect();
    await settled();
    expect(session.connection.value.status).toBe('connected');
    expect(errors).toEqual(['auth/forbidden']);
    expect(session.camera.state.value).toMatchObject({ status: 'failed', error: { code: 'auth/forbidden' } });
    expect(transport.media.opened.map(({ kind, readyState }) => [kind, readyState])).toEqual([
      ['video', 'ended'],
      ['audio', 'live'],
    ]);
  });

  it('is not asked for where the join said that the token does not allow it, as long as that call lasts', async () => {
    const { session, transport } = await connected({}, { join: { canPublish: ['microphone', 'screen'] } });
    expect(await codeOf(session.camera.enable())).toBe('auth/forbidden');
    await session.screen.enable();
    transport.drop();
    expect(await codeOf(session.camera.enable())).toBe('auth/forbidden');
    expect(transport.media.asked).toHaveLength(2);
    await session.disconnect();
    // With another token it may be another matter.
    await session.camera.enable();
    expect(session.camera.state.value.status).toBe('live');
    await session.close();
  });

  it('follows one who administers the room and mutes it', async () => {
    const { session, transport } = await connected();
    await session.camera.enable();
    transport.receive({ type: 'track.muted', producerId: transport.published[1]!.producerId, source: 'camera' });
    await settled();
    expect([session.camera.state.value.status, session.microphone.state.value.status]).toEqual(['muted', 'live']);
    expect(transport.published[1]).toMatchObject({ muted: true, track: { enabled: false } });
  });
});

describe('videoOf and attachVideo', () => {
  it('show another’s video while there is any, across links, and nothing of one who is muted', async () => {
    const { session, transport, clock } = await connected();
    const seen: unknown[] = [];
    session.videoOf({ participant: 'ann' }).subscribe((track) => seen.push(track));
    const element = {} as HTMLVideoElement;
    const end = session.attachVideo(element, { participant: 'ann' });
    expect([element.srcObject, element.muted, element.autoplay, element.playsInline]).toEqual([null, true, true, true]);
    transport.receive({ type: 'participant.joined', participant: ann(false) });
    const first = transport.addTrack('ann', 'camera');
    await settled();
    const shown = () => (element.srcObject as MediaStream | null)?.getVideoTracks();
    expect(shown()).toEqual([first.track]);
    transport.receive({ type: 'participant.updated', participant: ann(true) });
    expect(shown()).toBeUndefined();
    transport.receive({ type: 'participant.updated', participant: ann(false) });
    expect(shown()).toEqual([first.track]);
    transport.drop();
    expect(shown()).toBeUndefined();
    await clock.run(500);
    const second = transport.addTrack('ann', 'camera');
    await settled();
    expect(session.videoOf({ participant: 'ann' }).value).toBe(second.track);
    expect(session.videoOf({ participant: 'ann', source: 'screen' }).value).toBeUndefined();
    // Nothing is told twice.
    expect(seen).toEqual([undefined, first.track, undefined, first.track, undefined, second.track]);
    end();
    end();
    expect(element.srcObject).toBeNull();
    transport.removeTrack(second.offer.consumerId);
    await settled();
    expect(seen.at(-1)).toBeUndefined();
    await session.close();
  });

  it('show this user’s own without a call, and by their name in one', async () => {
    const { session } = setUp();
    let completed = false;
    const mine = session.videoOf();
    mine.subscribe({ complete: () => (completed = true) });
    await session.camera.enable();
    const own = session.camera.track.value;
    expect([mine.value, own === undefined]).toEqual([own, false]);
    await session.connect();
    expect(session.videoOf({ participant: 'caller' }).value).toBe(own);
    await session.camera.setMuted(true);
    expect(mine.value).toBeUndefined();
    await session.camera.setMuted(false);
    const element = {} as HTMLVideoElement;
    session.attachVideo(element);
    await session.close();
    expect([element.srcObject, mine.value, completed]).toEqual([null, undefined, true]);
  });
});

describe('a camera whose frames are shown', () => {
  async function showing() {
    const parts = await connected();
    const { session, transport } = parts;
    let frame = 0;
    transport.media.frame = () => `frame ${frame++}`;
    const shown = () => transport.sentOf('image.show').map(({ name, images }) => [name, images.length]);
    const pictures = () => transport.sentOf('image.append').map(({ data }) => atob(data));
    const errors: string[] = [];
    session.errors.subscribe(({ code }) => errors.push(code));
    return { ...parts, shown, pictures, errors };
  }

  it('gives the agent the newest once a second, and takes it away when it is off or muted', async () => {
    const { session, transport, clock, shown, pictures } = await showing();
    await session.camera.enable({ show: true });
    await clock.run(2500);
    expect([shown(), pictures()]).toEqual([
      [
        ['camera', 1],
        ['camera', 1],
      ],
      ['frame 0', 'frame 1'],
    ]);
    await session.camera.setMuted(true);
    await clock.run(2000);
    expect(shown().slice(2)).toEqual([['camera', 0]]);
    await session.camera.setMuted(false);
    await clock.run(1000);
    // Enabled again, it goes on; told not to, it ends.
    await session.camera.enable();
    await clock.run(1000);
    await session.camera.enable({ show: false });
    await clock.run(2000);
    expect(shown().slice(3)).toEqual([
      ['camera', 1],
      ['camera', 1],
      ['camera', 0],
    ]);
    expect(transport.media.filmed.size).toBe(0);
    await session.close();
    expect(clock.pending).toBe(0);
  });

  it('has one picture on its way at a time, whose successor is the newest of then', async () => {
    const { session, transport, clock, pictures, shown } = await showing();
    let arrive: () => void = () => undefined;
    transport.answer('image.append', () => new Promise<void>((resolve) => (arrive = resolve)));
    await session.camera.enable({ show: true });
    await clock.run(3500);
    expect(pictures()).toEqual(['frame 0']);
    arrive();
    await clock.run(1000);
    expect(pictures()).toEqual(['frame 0', 'frame 1']);
    // One that arrives after the end is taken away.
    const disabling = session.camera.disable();
    arrive();
    await disabling;
    await settled();
    expect(shown().at(-1)).toEqual(['camera', 0]);
    await session.close();
  });

  it('takes no picture’s place of a question: an edge keeps four that wait for their request', async () => {
    const { session, transport, clock, shown } = await showing();
    const waiting: string[] = [];
    const take = (imageIds: readonly string[] = []) => {
      for (const id of imageIds) {
        const at = waiting.indexOf(id);
        if (at < 0) throw new MicroturnError('image/invalid', 'it did not come to its end');
        waiting.splice(at, 1);
      }
    };
    transport.answer('image.append', async ({ imageId }) => {
      await new Promise<void>((resolve) => clock.after(300, resolve));
      waiting.push(imageId);
      if (waiting.length > limits.images) waiting.shift();
    });
    transport.answer('image.show', ({ images }) => take(images));
    transport.answer('task.ask', ({ images }) => {
      take(images);
      return { taken: 'question', taskId: 'task-1' };
    });
    await session.camera.enable({ show: true });
    await session.screen.enable({ show: true });
    await clock.run(1100);
    const four = ['a', 'b', 'c', 'd'].map((text) => new Blob([text]));
    const asked = [session.ask('which of them?', { images: four }), session.ask('and these?', { images: four })];
    const showed = session.show(four);
    await clock.run(8000, 50);
    expect(await Promise.all(asked)).toMatchObject([{ taken: 'question' }, { taken: 'question' }]);
    await showed;
    const { length } = shown();
    await clock.run(3000, 50);
    // The frames went on.
    expect(
      shown()
        .slice(length)
        .map(([name]) => name),
    ).toEqual(expect.arrayContaining(['camera', 'screen']));
    await session.close();
  });

  it('has a bound: of questions with pictures that do not get away the seventeenth is refused', async () => {
    const { session, transport } = await showing();
    transport.answer('image.append', () => new Promise(() => undefined));
    const images = [new Blob(['a'])];
    for (let i = 0; i < 16; i++) session.ask('and this?', { images }).catch(() => undefined);
    expect(await codeOf(session.ask('and this?', { images }))).toBe('protocol/rate');
    await session.close();
  });

  it.each([
    ['off', (session: InteractionSession) => session.camera.disable()],
    ['muted', (session: InteractionSession) => session.camera.setMuted(true)],
  ])('is taken away from the agent where the camera is turned %s while there is no link', async (_, end) => {
    const { session, transport, clock, shown } = await showing();
    await session.camera.enable({ show: true });
    await clock.run(1100);
    expect(shown()).toEqual([['camera', 1]]);
    transport.drop();
    await end(session).catch(() => undefined);
    await clock.run(3000);
    expect(session.connection.value.status).toBe('connected');
    expect(shown().slice(1)).toEqual([['camera', 0]]);
    await clock.run(2000);
    transport.drop();
    await clock.run(3000);
    expect(shown()).toHaveLength(2);
    await session.close();
  });

  it('goes on after a lost link and what passes, and ends with an error where the model looks at no pictures', async () => {
    const { session, transport, clock, shown, errors } = await showing();
    await session.screen.enable({ show: true });
    transport.refuse();
    transport.drop();
    await clock.run(3000);
    expect([session.connection.value.status, errors]).toEqual(['connected', []]);
    expect(shown().length).toBeGreaterThan(0);
    transport.answer('image.append', () => {
      throw new MicroturnError('protocol/rate');
    });
    await clock.run(3000);
    expect([errors, transport.media.filmed.size]).toEqual([[], 1]);
    transport.answer('image.append', () => ({}));
    transport.answer('image.show', () => {
      throw new MicroturnError('protocol/state', 'this model looks at no pictures');
    });
    await clock.run(3000);
    expect([errors, transport.media.filmed.size]).toEqual([['protocol/state'], 0]);
    expect(session.screen.state.value.status).toBe('live');
    await session.close();
  });
});
