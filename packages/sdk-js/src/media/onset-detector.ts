/** How often levels are pushed. */
export const ONSET_FRAME_MS = 10;
/** So many frames in a row make an onset: a key or a click is shorter. */
const ONSET_FRAMES = 3;
/** And so many quiet ones end it. */
const QUIET_FRAMES = 15;
/** A voice is louder than the room by this, and never quieter than that. */
const ABOVE_FLOOR_DB = 12;
const LOWEST_DB = -50;
/** The floor follows what is quieter at once, and what is louder slowly. */
const FLOOR_START_DB = -60;
const FLOOR_FALL = 0.2;
const FLOOR_RISE_DB = 0.03;
const FLOOR_DB = [-70, -30] as const;
/** The far end's echo comes within this, and a voice is louder than it by this. */
const ECHO_FRAMES = 40;
const ABOVE_ECHO_DB = 6;
/** From the far end's level to its echo's: what a browser's echo canceller leaves, until it is known better. */
const COUPLING_START_DB = -30;
const COUPLING_FALL_DB = 0.005;
const SILENCE_DB = -100;

/**
 * Says when somebody begins to speak into the microphone, from levels alone. It decides nothing that the model decides:
 * whoever listens to it may be wrong for a moment, and must be able to take back what it did.
 */
export class OnsetDetector {
  readonly #far: number[] = [];
  #floorDb = FLOOR_START_DB;
  #couplingDb = COUPLING_START_DB;
  #loud = 0;
  #quiet = QUIET_FRAMES;
  #onsetDb = 0;

  /**
   * Takes the levels of one frame, RMS in [0, 1].
   * @param far of what the loudspeaker plays
   * @returns true where somebody begins to speak
   */
  push(microphone: number, far: number): boolean {
    const levelDb = toDb(microphone);
    this.#far.push(toDb(far));
    if (this.#far.length > ECHO_FRAMES) this.#far.shift();
    const above = levelDb > this.#thresholdDb;
    this.#follow(levelDb);
    if (!above) {
      this.#loud = 0;
      this.#quiet++;
      return false;
    }
    this.#loud++;
    if (this.#loud < ONSET_FRAMES) return false;
    const onset = this.#loud === ONSET_FRAMES && this.#quiet >= QUIET_FRAMES;
    this.#quiet = 0;
    if (onset) this.#onsetDb = levelDb;
    return onset;
  }

  /** The last onset was nobody's, most likely the far end's echo: as loud as that, nothing is one from now on. */
  mistaken(): void {
    const farDb = Math.max(...this.#far);
    if (farDb > LOWEST_DB) this.#couplingDb = Math.min(0, Math.max(this.#couplingDb, this.#onsetDb - farDb));
  }

  get #thresholdDb(): number {
    const echoDb = Math.max(...this.#far) + this.#couplingDb;
    return Math.max(this.#floorDb + ABOVE_FLOOR_DB, echoDb + ABOVE_ECHO_DB, LOWEST_DB);
  }

  #follow(levelDb: number): void {
    const errorDb = levelDb - this.#floorDb;
    this.#floorDb += errorDb < 0 ? errorDb * FLOOR_FALL : Math.min(errorDb, FLOOR_RISE_DB);
    this.#floorDb = Math.min(Math.max(this.#floorDb, FLOOR_DB[0]), FLOOR_DB[1]);
    this.#couplingDb = Math.max(COUPLING_START_DB, this.#couplingDb - COUPLING_FALL_DB);
  }
}

function toDb(rms: number): number {
  return rms > 0 ? Math.max(SILENCE_DB, 20 * Math.log10(rms)) : SILENCE_DB;
}
