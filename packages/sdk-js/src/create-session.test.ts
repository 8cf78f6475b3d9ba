import { limits, type SessionEventBody } from '@microturn/protocol';
import { describe, expect, it, vi } from 'vitest';
import { begin, codeOf, connected } from './fixtures/scripted-session.js';
import { MicroturnError } from './index.js';
import { settled } from './testing/index.js';

describe('speaking through the session', () => {
  it('says, and gives the id of the response', async () => {
    const { session, transport } = await connected();
    transport.answer('say', () => ({ responseId: 'r-7' }));
    expect(await session.say('hello')).toEqual({ responseId: 'r-7' });
    transport.answer('say', () => ({}));
    expect(await codeOf(session.say('hello'))).toBe('protocol/malformed');
  });

  it('sends a message whole, or says that it is too long', async () => {
    const { session, transport } = await connected();
    session.send(` ${'x'.repeat(limits.typedChars)} `);
    session.send('  ');
    expect(transport.sentOf('typing').map(({ text }) => text.length)).toEqual([limits.typedChars]);
    expect(() => session.send('x'.repeat(limits.typedChars + 1))).toThrow('at most 2000 characters');
  });

  describe('from an observed field', () => {
    async function typing() {
      const { session, transport } = await connected();
      const field = Object.assign(new EventTarget(), {
        value: '',
        name: 'chat',
        isConnected: true,
        closest: () => null,
        getRootNode: () => ({}),
      });
      session.observeInput(field as unknown as HTMLInputElement);
      field.value = 'how far is it?';
      field.dispatchEvent(new Event('input'));
      const told = () =>
        transport.sent
          .filter(({ type }) => type === 'typing' || type === 'task.ask')
          .map((message) => ('field' in message ? [message.field, message.text] : [message.type]));
      return { session, transport, told };
    }

    it('tells first that it is empty, of what is sent', async () => {
      const { session, told } = await typing();
      session.send('how far is it?');
      expect(told()).toEqual([
        ['chat', 'how far is it?'],
        ['chat', ''],
        ['message', 'how far is it?'],
      ]);
    });

    it('tells that it is empty when a question was taken, and not of one that is refused', async () => {
      const { session, transport, told } = await typing();
      transport.answer('task.ask', () => {
        throw new MicroturnError('task/full');
      });
      expect(await codeOf(session.ask('how far is it?'))).toBe('task/full');
      expect(told()).toEqual([['chat', 'how far is it?'], ['task.ask']]);
      transport.answer('task.ask', () => ({ taken: 'question', taskId: 'task-1' }));
      await session.ask('how far is it?');
      expect(told().slice(2)).toEqual([['task.ask'], ['chat', '']]);
    });
  });

  it.each(['', '   ', '\n', 5, null, undefined, {}])('sends no text that is none: %j', async (text) => {
    const { session, transport } = await connected();
    const before = transport.sent.length;
    for (const told of [
      session.say(text as string),
      session.ask(text as string),
      session.amend('t1', text as string),
      session.answer('t1', text as string),
    ]) {
      await expect(told).rejects.toMatchObject({
        code: 'protocol/malformed',
        message: expect.stringContaining('expected a text, got') as unknown,
      });
    }
    if (typeof text === 'string') session.send(text);
    else expect(() => session.send(text as unknown as string)).toThrow('expected a text, got');
    expect(transport.sent).toHaveLength(before);
  });

  it('keeps to itself what the edge would end the call for', async () => {
    const { session, transport } = await connected();
    expect(await codeOf(session.ask('你'.repeat(limits.messageBytes / 3)))).toBe('protocol/too-large');
    expect(transport.sentOf('task.ask')).toEqual([]);
    expect(session.connection.value.status).toBe('connected');
  });
});

describe('a field that is observed', () => {
  const field = (text: string) => {
    const element = Object.assign(new EventTarget(), {
      value: text,
      name: 'order',
      isConnected: true,
      closest: () => null,
      getRootNode: () => ({}),
    });
    return element as unknown as HTMLInputElement;
  };
  const fieldTold = (transport: Awaited<ReturnType<typeof connected>>['transport']) =>
    transport.sentOf('typing').map(({ text, sent }) => [text, sent]);

  it('is told of again where the link was lost meanwhile, and to another call', async () => {
    const { session, transport, clock } = await connected();
    const element = field('two');
    const stop = session.observeInput(element);
    element.dispatchEvent(new Event('input'));
    transport.drop();
    element.value = 'two pizzas';
    element.dispatchEvent(new Event('input'));
    await clock.run(500);
    expect(fieldTold(transport)).toEqual([
      ['two', false],
      ['two pizzas', false],
    ]);
    await session.disconnect();
    await session.connect();
    expect(fieldTold(transport).slice(2)).toEqual([['two pizzas', false]]);
    stop();
    expect(fieldTold(transport).slice(3)).toEqual([['', false]]);
    await session.close();
    expect(clock.pending).toBe(0);
  });

  it.each([
    ['emptied', (element: HTMLInputElement) => Object.assign(element, { value: '' }).dispatchEvent(new Event('input'))],
    ['taken away', (_: HTMLInputElement, stop: () => void) => stop()],
  ])('that was %s while the link was lost is told to be empty when it is back', async (_, lose) => {
    const { session, transport, clock } = await connected();
    const element = field('two');
    const stop = session.observeInput(element, { throttleMs: 10 });
    element.dispatchEvent(new Event('input'));
    await clock.run(50);
    transport.drop();
    await clock.run(50);
    lose(element, stop);
    await clock.run(1000);
    expect(fieldTold(transport)).toEqual([
      ['two', false],
      ['', false],
    ]);
    // Once: what another link or call knows of it is nothing.
    transport.drop();
    await clock.run(1000);
    await session.disconnect();
    await session.connect();
    expect(fieldTold(transport)).toHaveLength(2);
    await session.close();
    expect(clock.pending).toBe(0);
  });

  it('that was emptied before another call is not told of in it', async () => {
    const { session, transport } = await connected();
    const element = field('two');
    const stop = session.observeInput(element);
    element.dispatchEvent(new Event('input'));
    await session.disconnect();
    stop();
    await session.connect();
    expect(fieldTold(transport)).toEqual([['two', false]]);
    await session.close();
  });

  it('is let go of when the session is closed, and not taken on by one that is', async () => {
    const { session, transport, clock } = await connected();
    const element = field('two');
    const added = vi.spyOn(element, 'addEventListener');
    const removed = vi.spyOn(element, 'removeEventListener');
    const stop = session.observeInput(element);
    element.dispatchEvent(new Event('input'));
    expect(added).toHaveBeenCalled();
    await session.close();
    expect(fieldTold(transport)).toEqual([
      ['two', false],
      ['', false],
    ]);
    stop();
    session.observeInput(element)();
    expect(removed.mock.calls).toEqual(added.mock.calls);
    expect(clock.pending).toBe(0);
  });

  it('is told to be empty where the page has emptied it after it was sent: no event says so', async () => {
    const { session, transport, clock } = await connected();
    const element = field('two pizzas');
    session.observeInput(element);
    element.dispatchEvent(new Event('input'));
    await clock.run(1000, 100);
    session.send(element.value);
    element.value = '';
    await clock.run(1000, 100);
    expect(fieldTold(transport)).toEqual([
      ['two pizzas', false],
      ['', false],
      ['two pizzas', true],
    ]);
    element.value = 'and';
    element.dispatchEvent(new Event('input'));
    Object.assign(element, { isConnected: false });
    await session.disconnect();
    await session.connect();
    expect(fieldTold(transport).slice(3)).toEqual([
      ['and', false],
      ['', false],
    ]);
    await session.close();
  });
});

describe('events', () => {
  it('come after the states that they change', async () => {
    const { session, transport } = await connected();
    const seen: unknown[] = [];
    session.on('floor.changed', () => seen.push(session.floor.value.floor));
    transport.emit({ type: 'floor.changed', participant: 'caller', floor: 'speaking', confidence: 1 });
    expect(seen).toEqual(['speaking']);
  });

  it('come until the listener leaves, or its signal says so', async () => {
    const { session, transport } = await connected();
    const seen: string[] = [];
    const abort = new AbortController();
    const off = session.on('stats', () => seen.push('a'));
    session.on('stats', () => seen.push('b'), { signal: abort.signal });
    const stats: SessionEventBody = { type: 'stats', loss: 0, jitterMs: 0, turnLagMs: 0, stepMs: 1 };
    transport.emit(stats);
    off();
    transport.emit(stats);
    abort.abort();
    transport.emit(stats);
    expect(seen).toEqual(['a', 'b', 'b']);
    expect(session.stats.value).toEqual({ loss: 0, jitterMs: 0, turnLagMs: 0, stepMs: 1 });
  });

  it('count once, should the edge repeat them', async () => {
    const { session, transport } = await connected();
    const event = transport.emit({
      type: 'transcript.word',
      participant: 'caller',
      text: 'a',
      endMs: 1,
      confidence: 1,
      final: true,
    });
    transport.receive(event);
    expect(session.transcript.value.map((entry) => entry.text)).toEqual(['a']);
  });

  it('of type error, and messages that cannot be read, are errors of the session that do not end it', async () => {
    const { session, transport } = await connected();
    const codes: string[] = [];
    session.errors.subscribe((error) => codes.push(error.code));
    transport.emit({ type: 'error', ...new MicroturnError('voice/failed').toWire() });
    transport.receiveText('{');
    expect(codes).toEqual(['voice/failed', 'protocol/malformed']);
    expect(session.connection.value.status).toBe('connected');
  });

  it('place the session clock', async () => {
    const { session, transport, clock } = await connected();
    expect(session.nowMs).toBe(0);
    clock.advance(500);
    expect(session.nowMs).toBe(500);
    // This one was quicker on its way than those before.
    transport.emit({ type: 'session.usage', audioSeconds: 0, microTurns: 0, late: 0, tokensIn: 0, tokensOut: 0 }, 520);
    expect(session.nowMs).toBe(520);
  });
});

describe('until', () => {
  it('resolves at once, or when it comes true, with states that fit each other', async () => {
    const { session, transport } = await connected();
    expect((await session.until((s) => s.connection.status === 'connected')).info?.model).toBe('scripted');
    const talking = session.until((s) => s.agent.overlapping);
    transport.emit({ type: 'floor.changed', participant: 'caller', floor: 'speaking', confidence: 1 });
    transport.emit(begin('a'));
    expect((await talking).responses).toHaveLength(1);
  });

  it('gives up with its signal, or in time, and leaves no timer', async () => {
    const { session, clock } = await connected();
    const abort = new AbortController();
    const aborted = codeOf(session.until(() => false, { signal: abort.signal }));
    const late = codeOf(session.until(() => false, { timeoutMs: 100 }));
    const before = clock.pending;
    abort.abort();
    clock.advance(100);
    expect(await aborted).toBe('session/aborted');
    expect(await late).toBe('net/timeout');
    expect(clock.pending).toBe(before - 1);
  });
});

describe('how long until waits', () => {
  it.each([undefined, Infinity])('is for ever with %s', async (timeoutMs) => {
    const { session, clock } = await connected();
    const before = clock.pending;
    const closed = codeOf(session.until(() => false, { ...(timeoutMs !== undefined && { timeoutMs }) }));
    expect(clock.pending).toBe(before);
    await session.close();
    expect(await closed).toBe('session/closed');
  });

  it.each([NaN, -1, 'x', null])('is refused where it is %s', async (timeoutMs) => {
    const { session, clock } = await connected();
    const before = clock.pending;
    const waiting = session.until(() => false, { timeoutMs: timeoutMs as number });
    await expect(waiting).rejects.toThrow(RangeError);
    await expect(waiting).rejects.toThrow(`timeoutMs: expected a number of 0 or more, got ${timeoutMs}`);
    expect(clock.pending).toBe(before);
  });

  it('is not a matter of the edge where it is over', async () => {
    const { session, clock } = await connected();
    const late = session.until(() => false, { timeoutMs: 100 });
    clock.advance(100);
    await expect(late).rejects.toThrow('`until` was not met after 100 ms');
  });
});

describe('other participants', () => {
  it('are heard, each in an element of their own, and listed', async () => {
    const { session, transport } = await connected();
    const { offer } = transport.addTrack('bob');
    await settled();
    expect(session.tracks.value.map((t) => [t.participant, t.source])).toEqual([
      ['agent', 'agent'],
      ['bob', 'microphone'],
    ]);
    expect(transport.media.elements.map((element) => element.playing)).toEqual([true, true]);
    transport.removeTrack(offer.consumerId);
    await settled();
    expect(session.tracks.value).toHaveLength(1);
    expect(transport.media.elements[1]?.playing).toBe(false);
  });

  it('go to loudspeakers whose names the browser tells once the user has allowed a microphone', async () => {
    const { session, transport } = await connected({ microphone: false });
    const { media } = transport;
    const devices = media.devices()!;
    const all = devices.enumerateDevices.bind(devices);
    devices.enumerateDevices = async () =>
      (await all()).map((device) => (media.opened.length > 0 ? device : { ...device, deviceId: '', label: '' }));
    media.plug('speaker-2', 'audiooutput');
    await settled();
    const labels = () => session.speaker.state.value.devices.map(({ label }) => label);
    expect(labels()).toEqual(['', '']);
    await session.microphone.enable();
    await settled();
    expect(labels()).toEqual(['speaker-1', 'speaker-2']);
    await session.close();
    expect(media.listeners).toBe(0);
  });
});
