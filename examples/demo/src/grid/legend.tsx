import type { Floor } from '@microturn/sdk';
import { commonFloors, floorNames, markNames } from './names.js';
import { MarkGlyph } from './layers.js';

const marks = ['barge-in', 'backchannel', 'interjection', 'stop'] as const;

/** What the colours and the signs mean. */
export function Legend({ seen }: { readonly seen: readonly Floor[] }) {
  const floors = [...commonFloors, ...seen.filter((floor) => !commonFloors.includes(floor))];
  return (
    <div className="legend">
      <div>
        <p id="legend-floor">Floor</p>
        <ul aria-labelledby="legend-floor">
          {floors.map((floor) => (
            <li key={floor} title={floorNames[floor].meaning}>
              <i className="swatch" data-floor={floor} aria-hidden="true" />
              {floorNames[floor].short}
            </li>
          ))}
        </ul>
      </div>
      <div>
        <p id="legend-marks">Interruptions</p>
        <ul aria-labelledby="legend-marks">
          {marks.map((kind) => (
            <li key={kind} title={markNames[kind].taken}>
              <MarkGlyph kind={kind} taken={kind !== 'backchannel'} />
              {markNames[kind].label}
            </li>
          ))}
          <li title="the word was sent, or was about to be, and your device never played it">
            <span className="swatch-word">word</span>
            never heard
          </li>
        </ul>
      </div>
    </div>
  );
}
