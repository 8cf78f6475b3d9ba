/** What an utterance does to the tasks that are under way. */
export type FollowUp = 'cancel' | 'cancel-all' | 'subject' | 'amend' | 'ask';

/** Decides it by the words. The app may replace it. */
export type FollowUpRule = (text: string) => FollowUp;

const lead = String.raw`^(?:(?:oh|no|okay|ok|well|um|uh|please|thanks|thank you)[,.\s]+)*`;
const rules: readonly (readonly [FollowUp, RegExp])[] = [
  ['cancel-all', new RegExp(String.raw`${lead}(?:cancel|stop|forget) (?:everything|all of (?:it|that|them))\b`, 'i')],
  [
    'cancel',
    new RegExp(
      String.raw`${lead}(?:never ?mind|forget (?:it|about it|that|about that)|cancel(?: that| it| this)?|drop (?:it|that)|stop (?:it|that|looking|searching)|do(?: no|n')t bother|(?:be )?quiet|that(?:'s| is) enough)[.!,\s]*$|${lead}never ?mind(?:[,.!;]|\s[^,.;]*[.!\s]*$)`,
      'i',
    ),
  ],
  [
    'subject',
    new RegExp(
      String.raw`${lead}(?:let(?:'s| us)|can we) (?:talk about something else|change the (?:subject|topic)|move on)\b|\b(?:different|another) (?:subject|topic)\b`,
      'i',
    ),
  ],
  [
    'amend',
    new RegExp(
      String.raw`${lead}(?:actually[, ]+)?(?:make (?:it|that|them)|also[, ]|and also|instead\b|but (?:only|not|with|without)\b)`,
      'i',
    ),
  ],
];

/** English phrases. What is none of them is a question of its own. */
export const followUpOf: FollowUpRule = (text) => rules.find(([, pattern]) => pattern.test(text.trim()))?.[0] ?? 'ask';

/** A yes or a no to a question that wants one; undefined for everything else. */
export function approvalOf(text: string): boolean | undefined {
  const said = text.trim().toLowerCase();
  if (/^(?:no|nope|don't|do not|stop|cancel|never ?mind)\b/.test(said)) return false;
  if (/^(?:yes|yeah|yep|okay|ok|sure|please do|go ahead|do it|right)\b/.test(said)) return true;
  return undefined;
}
