// @vitest-environment jsdom
import { afterEach, describe, expect, it } from 'vitest';
import { ManualClock } from '../testing/manual-clock.js';
import { isMasked, observeInput, type TypedField } from './observe-input.js';

/** As much of an input element as is looked at. */
class Field extends EventTarget {
  value = '';
  type = 'text';
  autocomplete = '';
  name = 'order';
  isConnected = true;
  id = '';
  isPrivate = false;
  listeners = 0;
  getAttribute(): string | null {
    return null;
  }
  closest(): object | null {
    return this.isPrivate ? {} : null;
  }
  getRootNode(): object {
    return document;
  }
  override addEventListener(...args: Parameters<EventTarget['addEventListener']>): void {
    this.listeners++;
    super.addEventListener(...args);
  }
  override removeEventListener(...args: Parameters<EventTarget['removeEventListener']>): void {
    this.listeners--;
    super.removeEventListener(...args);
  }
  types(value: string): void {
    this.value = value;
    this.dispatchEvent(new Event('input'));
  }
  /** As an input method types: what it tries shows in the field before it ends. */
  composes(...values: string[]): void {
    this.dispatchEvent(new Event('compositionstart'));
    for (const value of values) this.types(value);
  }
  endsComposition(): void {
    this.dispatchEvent(new Event('compositionend'));
  }
}

function observed(options = {}, page: object = {}) {
  const clock = new ManualClock();
  const field = Object.assign(new Field(), page);
  const told: [string, string][] = [];
  const tell = (name: string, text: string) => told.push([name, text]);
  const observed = observeInput(field as unknown as TypedField, options, tell, clock);
  return { clock, field, told, ...observed };
}

describe('a field that is observed', () => {
  it('tells the first edit at once, and of those that follow the newest, in their time', () => {
    const { clock, field, told } = observed();
    for (const text of ['1', '12', '123']) field.types(text);
    expect(told).toEqual([['order', '1']]);
    clock.advance(300);
    expect(told.slice(1)).toEqual([['order', '123']]);
    clock.advance(300);
    expect(told).toHaveLength(2);
    field.types('1234');
    expect(told).toHaveLength(3);
  });

  it('tells nothing of what is masked, however the page says so, and takes back what it told before', () => {
    const { clock, field, told } = observed();
    field.types('sec');
    field.type = 'password';
    field.types('secret');
    clock.advance(300);
    expect(told).toEqual([
      ['order', 'sec'],
      ['order', ''],
    ]);
    field.type = 'text';
    field.autocomplete = 'section-1 cc-number';
    field.types('4111');
    field.autocomplete = '';
    field.isPrivate = true;
    field.types('4111 1');
    clock.advance(1000);
    expect(told).toHaveLength(2);
    expect(isMasked(field as unknown as TypedField)).toBe(true);
  });

  it('tells nothing of a password that the page shows in the clear for a moment', () => {
    const { clock, field, told } = observed({}, { type: 'password' });
    field.types('secr');
    field.type = 'text';
    field.types('secret');
    clock.advance(1000);
    expect(told).toEqual([]);
    const later = observed();
    later.field.type = 'password';
    later.field.types('s');
    later.field.type = 'text';
    later.field.types('secret');
    expect(later.told).toEqual([]);
  });

  it('knows what the page says of a field in capitals, too', () => {
    const { field, told } = observed({}, { autocomplete: 'CC-Number' });
    field.types('4111');
    expect(told).toEqual([]);
  });

  it('tells the end of a long text, under a name of its own, and an empty one when it ends', () => {
    const { field, told, stop, clock } = observed({ name: 'n'.repeat(100), throttleMs: 50 });
    field.types('a'.repeat(3000) + 'z');
    expect(told[0]![0]).toHaveLength(64);
    expect(told[0]![1]).toHaveLength(2000);
    expect(told[0]![1].endsWith('z')).toBe(true);
    stop();
    expect(told.at(-1)![1]).toBe('');
    expect(field.listeners).toBe(0);
    expect(clock.pending).toBe(0);
  });

  it.each([
    ['is emptied before it is sent', ['', '']],
    ['is emptied after it was sent', ['hello there', '']],
    ['is left as it is', ['hello there', 'hello there']],
  ])('stands empty once its text was sent: the field %s', (_, [whenSent = '', after = '']) => {
    const { field, told, sent, clock } = observed();
    for (const text of ['hello', 'hello there']) field.types(text);
    // Set by the page, of which no event tells.
    field.value = whenSent;
    sent('hello there');
    field.value = after;
    clock.advance(1000);
    expect(told).toEqual([
      ['order', 'hello'],
      ['order', ''],
    ]);
    field.types('hello there');
    expect(told.at(-1)).toEqual(['order', 'hello there']);
  });

  it('tells nothing of what an input method composes until it has ended, and then what came of it, at once', () => {
    const { clock, field, told, tellAgain } = observed();
    field.types('a');
    field.composes('ak', 'aか', 'aかn');
    clock.advance(1000);
    tellAgain();
    expect(told).toEqual([
      ['order', 'a'],
      ['order', 'a'],
    ]);
    clock.advance(300);
    field.types('a漢');
    field.endsComposition();
    expect(told.slice(2)).toEqual([['order', 'a漢']]);
    // Some browsers say so once more, some compose the next syllable in the same moment: both keep to the throttle.
    field.types('a漢');
    field.composes('a漢ㅎ');
    field.types('a漢한');
    field.endsComposition();
    field.composes('a漢한ㄱ');
    clock.advance(300);
    expect(told).toHaveLength(3);
    field.types('a漢한글');
    field.endsComposition();
    expect(told.slice(3)).toEqual([['order', 'a漢한글']]);
  });

  it.each([['stands in it'], ['was sent, and still stands in it']])(
    'tells nothing of a composition that comes to nothing, next to what %s',
    (what) => {
      const { clock, field, told, sent } = observed();
      field.types('hello');
      if (what !== 'stands in it') sent('hello');
      clock.advance(1000);
      const before = told.length;
      field.composes('hello n', 'hello ni', 'hello');
      field.endsComposition();
      clock.advance(1000);
      expect(told).toHaveLength(before);
    },
  );

  it('knows of no composition in a field that is typed into anew', () => {
    const { field, told } = observed();
    field.composes('k');
    field.dispatchEvent(new Event('focus'));
    field.types('k2');
    expect(told).toEqual([['order', 'k2']]);
  });

  it('takes back what it told of a field that is masked in the middle of a composition', () => {
    const { field, told } = observed();
    field.types('4');
    field.isPrivate = true;
    field.composes('41');
    expect(told).toEqual([
      ['order', '4'],
      ['order', ''],
    ]);
  });

  it.each([
    ['emptied by the page', (field: Field) => void (field.value = '')],
    ['taken out of the page', (field: Field) => void (field.isConnected = false)],
    ['masked', (field: Field) => void (field.isPrivate = true)],
  ])('stands empty a moment after it was %s, of which no event tells', (_, change) => {
    const { clock, field, told, stop } = observed();
    field.types('never mind');
    clock.advance(5000);
    expect(told).toHaveLength(1);
    change(field);
    clock.advance(1000);
    expect(told.slice(1)).toEqual([['order', '']]);
    clock.advance(1000);
    expect(clock.pending).toBe(0);
    stop();
    expect(told).toHaveLength(2);
  });

  it('keeps what stands in it where something else was sent', () => {
    const { field, told, sent, clock } = observed();
    field.types('12');
    sent('what am I ordering?');
    clock.advance(1000);
    expect(told).toEqual([['order', '12']]);
  });
});

describe('a part of the page that is edited, and has no value of its own', () => {
  afterEach(() => document.body.replaceChildren());

  function observedIn(html: string) {
    document.body.innerHTML = html;
    const told: [string, string][] = [];
    const observe = (field: HTMLElement) => {
      const clock = new ManualClock();
      observeInput(field, {}, (...edit) => told.push(edit), clock);
      return () => {
        field.dispatchEvent(new Event('input'));
        clock.advance(1000);
      };
    };
    return { told, observe };
  }
  const byId = (id: string) => document.getElementById(id)!;

  it('is read as its text, as a list item is', () => {
    const { told, observe } = observedIn('<li id="item" value="0">milk <b>and <i>honey</i></b><!-- not this --></li>');
    observe(byId('item'))();
    expect(told).toEqual([['item', 'milk and honey']]);
  });

  it('is told without the parts of it that are private', () => {
    const { told, observe } = observedIn(
      '<div id="note">Call me at <b data-microturn-private>555 <i>123</i></b> at noon<p>, or <s id="who">Ann</s></p></div>',
    );
    const edits = observe(byId('note'));
    edits();
    byId('who').setAttribute('data-microturn-private', '');
    edits();
    byId('note').querySelector('i')!.textContent = '124';
    edits();
    expect(told).toEqual([
      ['note', 'Call me at  at noon, or Ann'],
      ['note', 'Call me at  at noon, or '],
    ]);
  });

  it('is masked by what is around the component that it is inside of', () => {
    const { told, observe } = observedIn('<section data-microturn-private><p id="host"></p></section>');
    const root = byId('host').attachShadow({ mode: 'closed' });
    root.innerHTML = '<div>secret</div>';
    const edits = observe(root.querySelector('div')!);
    edits();
    expect(told).toEqual([]);
    document.querySelector('section')!.removeAttribute('data-microturn-private');
    edits();
    expect(told).toEqual([['text', 'secret']]);
  });
});
