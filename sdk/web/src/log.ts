/* The console, from a level up: 0 all, 1 news, 2 warnings, 3 errors, 4 nothing. */
let level = 2;

export function setLogLevel(next: number): void {
  level = next;
}

type Method = 'debug' | 'info' | 'warn' | 'error';

function logger(at: number, method: Method) {
  return (text: string, ...facts: unknown[]): void => {
    if (at >= level) console[method](`[hongyan] ${text}`, ...facts);
  };
}

export const log = {
  debug: logger(0, 'debug'),
  info: logger(1, 'info'),
  warn: logger(2, 'warn'),
  error: logger(3, 'error'),
};
