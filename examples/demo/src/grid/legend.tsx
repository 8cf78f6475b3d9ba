import type { Floor } from '@microturn/sdk';
import type { ReactNode } from 'react';
import { MarkGlyph } from './layers.js';
import { commonFloors, floorNames, markNames, noLine } from './names.js';

const marks = ['barge-in', 'backchannel', 'interjection', 'stop'] as const;

export interface LegendProps {
  readonly seen: readonly Floor[];
  /** There are micro-turns of which nothing is known. */
  readonly hasGaps: boolean;
}

interface Entry {
  readonly key: string;
  readonly sign: ReactNode;
  readonly name: string;
  readonly meaning: string;
}

/** What the colours and the signs are called, and unfolded, what they mean. */
export function Legend({ seen, hasGaps }: LegendProps) {
  const floors = [...commonFloors, ...seen.filter((floor) => !commonFloors.includes(floor))].map(floorEntry);
  const groups: readonly (readonly [string, readonly Entry[]])[] = [
    ['Floor', hasGaps ? [...floors, gapEntry] : floors],
    ['Signs', signEntries],
  ];
  return (
    <div className="legend">
      <div className="legend-names">
        {groups.map(([title, entries]) => (
          <ul key={title} aria-label={title}>
            {entries.map(({ key, sign, name }) => (
              <li key={key}>
                {sign}
                {name}
              </li>
            ))}
          </ul>
        ))}
      </div>
      <details>
        <summary>
          <span className="if-wide">Meanings</span>
          <span className="if-narrow">Colours and signs</span>
        </summary>
        {groups.map(([title, entries]) => (
          <dl key={title} aria-label={title}>
            {entries.map(({ key, sign, name, meaning }) => (
              <div key={key}>
                <dt>
                  {sign}
                  {name}
                </dt>
                <dd>{meaning}</dd>
              </div>
            ))}
          </dl>
        ))}
      </details>
    </div>
  );
}

function floorEntry(floor: Floor): Entry {
  const { short, meaning } = floorNames[floor];
  return {
    key: floor,
    sign: <i className="swatch" data-floor={floor} aria-hidden="true" />,
    name: short,
    meaning,
  };
}

const gapEntry: Entry = {
  key: 'gap',
  sign: <i className="swatch swatch-lost" aria-hidden="true" />,
  name: noLine.short,
  meaning: noLine.meaning,
};

const signEntries: readonly Entry[] = [
  ...marks.map((kind) => ({
    key: kind,
    sign: <MarkGlyph kind={kind} taken={kind !== 'backchannel'} />,
    name: markNames[kind].label,
    meaning: markNames[kind].taken,
  })),
  {
    key: 'unheard',
    sign: (
      <span className="swatch-word" aria-hidden="true">
        word
      </span>
    ),
    name: 'never heard',
    meaning: 'it was sent, or was about to be, and your device never played it',
  },
];
