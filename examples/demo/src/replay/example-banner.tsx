import { hrefOf } from '../shell/mode.js';
import { recording } from './recording.js';

const recordedOn = new Date(`${recording.recordedOn}T12:00`).toLocaleDateString('en', { dateStyle: 'long' });

/** Says that nothing here is live, for as long as that is so. */
export function ExampleBanner() {
  return (
    <p className="example-banner">
      <b>A recording, not a live call.</b> A synthesised voice ({recording.voice}) tries the first four sentences on{' '}
      {recording.model}; first take, {recordedOn}, without its sound. <a href={hrefOf('live')}>Talk to it yourself</a>
    </p>
  );
}
