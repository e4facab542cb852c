/** How long to wait before the given attempt (0, 1, ...): full jitter, so that many clients that lost
 * one gateway do not come back together. */
export function backoff(attempt: number, random: () => number = Math.random): number {
  return random() * Math.min(15000, 300 * 2 ** Math.min(attempt, 10));
}
