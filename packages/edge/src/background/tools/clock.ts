import type { Tool } from '../toolbox.js';

/** By the last part of their names, as people say them: `tokyo` is Asia/Tokyo. */
const zonesByCity = new Map(Intl.supportedValuesOf('timeZone').map((zone) => [placeOf(zone).toLowerCase(), zone]));
/** Cities that have no zone named after them. */
const more: Readonly<Record<string, string>> = {
  utc: 'UTC',
  gmt: 'UTC',
  'san francisco': 'America/Los_Angeles',
  seattle: 'America/Los_Angeles',
  boston: 'America/New_York',
  washington: 'America/New_York',
  miami: 'America/New_York',
  beijing: 'Asia/Shanghai',
  delhi: 'Asia/Kolkata',
  mumbai: 'Asia/Kolkata',
  bangalore: 'Asia/Kolkata',
  milan: 'Europe/Rome',
  barcelona: 'Europe/Madrid',
  munich: 'Europe/Berlin',
  hamburg: 'Europe/Berlin',
  geneva: 'Europe/Zurich',
};

/** The time zone of a city or by its own name; undefined where there is none. */
export function zoneOf(place: string): string | undefined {
  const name = place.trim().toLowerCase();
  const known = more[name] ?? zonesByCity.get(name);
  if (known) return known;
  return [...zonesByCity.values()].find((zone) => zone.toLowerCase() === name.replaceAll(' ', '_'));
}

/** What a zone is called: `America/New_York` is New York. */
export function placeOf(zone: string): string {
  return zone.split('/').at(-1)!.replaceAll('_', ' ');
}

/** The time as it is said: `It is 14:05 on Friday, 20 November 2026 in Tokyo.` */
export function tellTime(nowMs: number, zone: string, place: string): string {
  const format = (options: Intl.DateTimeFormatOptions) =>
    new Intl.DateTimeFormat('en-GB', { timeZone: zone, ...options }).format(nowMs);
  const time = format({ hour: '2-digit', minute: '2-digit' });
  const date = format({ weekday: 'long', day: 'numeric', month: 'long', year: 'numeric' });
  return `It is ${time} on ${date} in ${place}.`;
}

/** The edge's own: clients do not tell theirs. */
export function ownZone(): string {
  return new Intl.DateTimeFormat().resolvedOptions().timeZone;
}

/** @param timeZone of the time where no place is named; what is answered names it */
export function clockTool(wallMs: () => number, timeZone = ownZone()): Tool {
  return {
    name: 'clock',
    description: `Tells date and time in a city or IANA time zone, in ${timeZone} where none is given.`,
    parameters: {
      type: 'object',
      properties: { place: { type: 'string', maxLength: 64, description: 'such as Tokyo or Europe/Paris' } },
      additionalProperties: false,
    },
    run: ({ place }: { place?: string }) => {
      const zone = place === undefined ? timeZone : zoneOf(place);
      if (zone === undefined) throw new RangeError(`no time zone is known for ${place}`);
      return tellTime(wallMs(), zone, place ?? placeOf(zone));
    },
  };
}
