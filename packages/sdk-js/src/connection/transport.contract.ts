import { MicroturnError, type ClientRequest, type ErrorCode, type SessionEvent } from '@microturn/protocol';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { noLogger } from '../logger.js';
import { FakeTrack } from '../testing/fake-media.js';
import { ManualClock, settled } from '../testing/manual-clock.js';
import type { LinkObserver, OpenOptions, ReceivedTrack, RosterUpdate, Transport, TransportLink } from './transport.js';

/** The edge's end of a transport under test. */
export interface TransportHarness {
  readonly transport: Transport;
  /** Messages of the client, oldest first. */
  readonly sent: readonly { readonly type: string }[];
  /** Sockets that are open now. */
  readonly openSockets: number;
  /** The next socket does not open. */
  refuse(): void;
  /** From now on requests of this type get what `fn` gives, or the error that it throws. */
  answer(type: ClientRequest['type'], fn: (message: ClientRequest) => unknown): void;
  /** The client receives this text. */
  receiveText(text: string): void;
  /** The edge offers another track, as pushed by `track.added`; gives its consumerId. */
  addTrack(): string;
  drop(): void;
  /** The media path is lost. */
  failMedia(): void;
  dispose(): void;
}

class Recorder implements LinkObserver {
  readonly log: string[] = [];
  readonly tracks: ReceivedTrack[] = [];
  readonly problems: MicroturnError[] = [];
  participants: readonly string[] = [];
  closedWith: MicroturnError | undefined;
  resumable: boolean | undefined;
  event(event: SessionEvent): void {
    this.log.push(`event ${event.seq}`);
  }
  trackAdded(track: ReceivedTrack): void {
    this.tracks.push(track);
    this.log.push(`added ${track.source}`);
  }
  trackRemoved(id: string): void {
    this.log.push(`removed ${id}`);
  }
  roster(update: RosterUpdate): void {
    if (update.type === 'present') this.participants = update.participants.map(({ identity }) => identity);
    else this.log.push(update.type);
  }
  media(flowing: boolean): void {
    this.log.push(flowing ? 'flowing' : 'stalled');
  }
  problem(error: MicroturnError): void {
    this.problems.push(error);
  }
  closed(error: MicroturnError, resumable: boolean): void {
    this.closedWith = error;
    this.resumable = resumable;
    this.log.push('closed');
  }
}

const stats = (seq: number) => ({ type: 'stats', seq, at: 0, turn: 0, loss: 0, jitterMs: 0, turnLagMs: 0, stepMs: 0 });

async function codeOf(promise: Promise<unknown>): Promise<ErrorCode | undefined> {
  const error: unknown = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (error === undefined) return undefined;
  expect(error).toBeInstanceOf(MicroturnError);
  return (error as MicroturnError).code;
}

/** What a session relies on, of every transport. */
export function describeTransport(name: string, create: () => TransportHarness): void {
  describe(`transport contract: ${name}`, () => {
    let harness: TransportHarness;
    let clock: ManualClock;
    let recorder: Recorder;
    let abort: AbortController;

    beforeEach(() => {
      harness = create();
      clock = new ManualClock();
      recorder = new Recorder();
      abort = new AbortController();
    });

    afterEach(() => {
      harness.dispose();
    });

    const open = (resume?: OpenOptions['resume']): Promise<TransportLink> =>
      harness.transport.open({
        url: 'https://edge.example/base/',
        token: 'token',
        room: 'room-1',
        ...(resume && { resume }),
        signal: abort.signal,
        clock,
        logger: noLogger,
        observer: recorder,
      });
    const sentTypes = () => harness.sent.map((message) => message.type);
    const track = () => new FakeTrack('audio').asTrack();

    it('joins, then subscribes, and brings the tracks that there are', async () => {
      const link = await open();
      expect(sentTypes().filter((type) => type !== 'transport.connect')).toEqual(['join', 'subscribe']);
      expect(harness.sent[0]).toMatchObject({ token: 'token', room: 'room-1', protocol: 1 });
      expect(link.joined).toMatchObject({ sessionId: 'session-1', microTurnMs: 200 });
      expect(recorder.tracks.map((t) => [t.participant, t.source, t.track.kind])).toEqual([
        ['agent', 'agent', 'audio'],
      ]);
    });

    it('fault 45: hands on events in order, and passes over types it does not know', async () => {
      await open();
      const before = recorder.log.length;
      for (const message of [stats(11), { type: 'from.the.future', seq: 12 }, stats(13)]) {
        harness.receiveText(JSON.stringify(message));
      }
      expect(recorder.log.slice(before)).toEqual(['event 11', 'event 13']);
      expect(recorder.problems).toEqual([]);
    });

    it('says who is in the room, and what becomes of it', async () => {
      await open();
      expect(recorder.participants).toEqual(['caller']);
      const before = recorder.log.length;
      const participant = { identity: 'bob', attributes: {}, away: false, speaking: false, tracks: [] };
      harness.receiveText(JSON.stringify({ type: 'participant.joined', participant }));
      harness.receiveText(JSON.stringify({ type: 'speakers.changed', speakers: ['bob'] }));
      expect(recorder.log.slice(before)).toEqual(['participant.joined', 'speakers.changed']);
    });

    it('reports what it cannot read, and goes on', async () => {
      await open();
      for (const text of ['{', 'null', '[]', '{"type":"stats"}', '['.repeat(100), `"${'x'.repeat(1_100_000)}"`]) {
        harness.receiveText(text);
      }
      harness.receiveText(JSON.stringify(stats(21)));
      expect(recorder.problems.map((error) => error.code)).toEqual([
        'protocol/malformed',
        'protocol/malformed',
        'protocol/malformed',
        'protocol/malformed',
        'protocol/too-large',
        'protocol/too-large',
      ]);
      expect(recorder.log.at(-1)).toBe('event 21');
    });

    it('gives every request its own reply, in whatever order they come', async () => {
      const link = await open();
      const releases: (() => void)[] = [];
      harness.answer('say', (message) => {
        const { text } = message as Extract<ClientRequest, { type: 'say' }>;
        return new Promise((resolve) => releases.push(() => resolve({ responseId: text })));
      });
      const replies = [link.request({ type: 'say', text: 'a' }), link.request({ type: 'say', text: 'b' })];
      await settled();
      for (const release of releases.reverse()) release();
      expect(await Promise.all(replies)).toEqual([{ responseId: 'a' }, { responseId: 'b' }]);
    });

    it('rejects with the code that the edge answers, and with net/timeout when it does not', async () => {
      const link = await open();
      harness.answer('say', () => Promise.reject(new MicroturnError('voice/failed', 'too long')));
      expect(await codeOf(link.request({ type: 'say', text: 'x' }))).toBe('voice/failed');
      harness.answer('say', () => new Promise(() => undefined));
      const slow = codeOf(link.request({ type: 'say', text: 'x' }));
      await clock.run(10_000, 5000);
      expect(await slow).toBe('net/timeout');
      expect(recorder.closedWith).toBeUndefined();
    });

    it('sends, mutes, changes and closes a track', async () => {
      const link = await open();
      const publication = await link.publish(track(), 'microphone');
      await publication.setMuted(true);
      await publication.replaceTrack(track());
      await publication.close();
      expect(sentTypes().slice(-3)).toEqual(['produce', 'producer.mute', 'producer.close']);
      expect(harness.sent.at(-2)).toMatchObject({ muted: true });
      expect(harness.sent.at(-3)).toMatchObject({ source: 'microphone' });
    });

    it('leaves the track that it sends to its owner', async () => {
      const link = await open();
      const mine = track();
      const publication = await link.publish(mine, 'microphone');
      await publication.setMuted(true);
      expect([mine.readyState, mine.enabled]).toEqual(['live', true]);
      link.close();
      expect(mine.readyState).toBe('live');
    });

    it('brings and takes away tracks as they come and go', async () => {
      await open();
      const id = harness.addTrack();
      harness.receiveText(JSON.stringify({ type: 'track.removed', consumerId: id }));
      await settled();
      expect(recorder.log.filter((line) => /added|removed/.test(line)).slice(-2)).toEqual([
        'added microphone',
        `removed ${id}`,
      ]);
      expect(recorder.problems).toEqual([]);
    });

    it('says why the edge ended it, once, and rejects what was pending', async () => {
      const link = await open();
      harness.answer('say', () => new Promise(() => undefined));
      const pending = codeOf(link.request({ type: 'say', text: 'x' }));
      const error = new MicroturnError('edge/draining').toWire();
      harness.receiveText(JSON.stringify({ type: 'goodbye', error, resumable: false, seq: 0 }));
      expect(await pending).toBe('edge/draining');
      expect([recorder.closedWith?.code, recorder.resumable]).toEqual(['edge/draining', false]);
      expect(recorder.log.filter((line) => line === 'closed')).toHaveLength(1);
      expect(await codeOf(link.request({ type: 'say', text: 'x' }))).toBe('edge/draining');
      expect([harness.openSockets, clock.pending]).toEqual([0, 0]);
    });

    it('says that the network dropped it', async () => {
      await open();
      harness.drop();
      await settled();
      expect([recorder.closedWith?.code, recorder.resumable]).toEqual(['net/closed', true]);
      expect(recorder.log.at(-1)).toBe('closed');
      expect([harness.openSockets, clock.pending]).toEqual([0, 0]);
    });

    it('ends when the media path is lost, to be come back to', async () => {
      await open({ resumeToken: 'resume-1', lastSeq: 7 });
      harness.failMedia();
      expect([recorder.closedWith?.code, recorder.resumable]).toEqual(['net/ice-failed', true]);
      expect(sentTypes()).not.toContain('leave');
      expect([harness.openSockets, clock.pending]).toEqual([0, 0]);
    });

    it('leaves where no media path is found: a session that never came up is not to be kept', async () => {
      await open();
      harness.failMedia();
      expect(recorder.closedWith?.code).toBe('net/ice-failed');
      expect(sentTypes().at(-1)).toBe('leave');
      expect([harness.openSockets, clock.pending]).toEqual([0, 0]);
    });

    it('finds out with a ping that the other side is gone', async () => {
      await open();
      harness.answer('ping', () => new Promise(() => undefined));
      await clock.run(30_000, 5000);
      expect([recorder.closedWith?.code, recorder.resumable]).toEqual(['net/timeout', true]);
      expect(clock.pending).toBe(0);
    });

    it('leaves when closed, twice without harm, and says nothing more', async () => {
      const link = await open();
      link.close();
      link.close();
      expect(sentTypes().at(-1)).toBe('leave');
      expect(recorder.closedWith).toBeUndefined();
      expect(await codeOf(link.request({ type: 'say', text: 'x' }))).toBe('session/closed');
      expect(await codeOf(link.publish(track(), 'microphone'))).toBe('session/closed');
      link.notify({ type: 'heard', rtpTimestamp: 0, audience: 'room', outputLatencyMs: 0, state: 'playing' });
      expect(sentTypes().at(-1)).toBe('leave');
      expect([harness.openSockets, clock.pending]).toEqual([0, 0]);
    });

    it('rejects what is under way, and what is asked afterwards, with the reason that it is closed for', async () => {
      const link = await open();
      harness.answer('say', () => new Promise(() => undefined));
      const pending = codeOf(link.request({ type: 'say', text: 'x' }));
      link.close(new MicroturnError('net/closed'));
      expect(sentTypes().at(-1)).toBe('leave');
      expect(await pending).toBe('net/closed');
      expect(await codeOf(link.request({ type: 'say', text: 'x' }))).toBe('net/closed');
      expect(await codeOf(link.publish(track(), 'microphone'))).toBe('net/closed');
    });

    it('believes an edge that says the session waits', async () => {
      await open();
      const error = new MicroturnError('edge/worker-died').toWire();
      harness.receiveText(JSON.stringify({ type: 'goodbye', error, resumable: true, seq: 1 }));
      expect([recorder.closedWith?.code, recorder.resumable]).toEqual(['edge/worker-died', true]);
      expect(harness.openSockets).toBe(0);
    });

    it('comes back with what it was given, and does not leave where that fails', async () => {
      const resume = { resumeToken: 'resume-1', lastSeq: 7 };
      await open(resume);
      expect(harness.sent[0]).toMatchObject({ type: 'join', resume });
      harness.answer('subscribe', () => Promise.reject(new MicroturnError('edge/worker-died')));
      expect(await codeOf(open(resume))).toBe('edge/worker-died');
      expect(sentTypes()).not.toContain('leave');
      expect(harness.openSockets).toBe(1);
    });

    it('drops without a word, for another link to take over', async () => {
      const link = await open();
      link.drop();
      link.drop();
      link.close();
      expect(sentTypes()).not.toContain('leave');
      expect(recorder.closedWith).toBeUndefined();
      expect([harness.openSockets, clock.pending]).toEqual([0, 0]);
    });

    it('rejects with the reason, and leaves nothing open, where it may not join', async () => {
      harness.answer('join', () => Promise.reject(new MicroturnError('auth/expired')));
      expect(await codeOf(open())).toBe('auth/expired');
      expect([harness.openSockets, clock.pending]).toEqual([0, 0]);
      expect(recorder.closedWith).toBeUndefined();
    });

    it('rejects where the edge answers a join with nonsense', async () => {
      harness.answer('join', () => ({ sessionId: 7 }));
      expect(await codeOf(open())).toBe('protocol/malformed');
      expect([harness.openSockets, clock.pending]).toEqual([0, 0]);
    });

    it('rejects where the edge cannot be reached', async () => {
      harness.refuse();
      expect(await codeOf(open())).toBe('net/unreachable');
      expect([harness.openSockets, clock.pending]).toEqual([0, 0]);
    });

    it('can be aborted before, while and after it joins', async () => {
      abort.abort();
      expect(await codeOf(open())).toBe('session/aborted');

      abort = new AbortController();
      harness.answer('join', () => new Promise(() => undefined));
      const joining = codeOf(open());
      await settled();
      abort.abort(new MicroturnError('session/closed'));
      expect(await joining).toBe('session/closed');
      expect([harness.openSockets, clock.pending]).toEqual([0, 0]);
    });
  });
}
