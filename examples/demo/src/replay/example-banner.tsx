import { modeHref } from '../shell/mode.js';

/** Says that nothing here is live, for as long as that is so. */
export function ExampleBanner() {
  return (
    <p className="example-banner">
      <b>Example.</b> A conversation written by hand, to show what this page shows. There is no microphone, no sound and no model behind it.{' '}
      <a href={modeHref.live}>Talk to the real one</a>
    </p>
  );
}
