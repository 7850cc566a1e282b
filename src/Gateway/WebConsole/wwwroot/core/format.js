// Numbers, sizes and times as people read them. All in the browser's own locale for digits, and in 24 hours.
const whole = new Intl.NumberFormat('en-US');
const one = new Intl.NumberFormat('en-US', { maximumFractionDigits: 1 });

export const count = (value) => (value == null ? '–' : whole.format(value));

export function short(value) {
  if (value == null || Number.isNaN(value)) return '–';
  if (value < 10 && value % 1 !== 0) return one.format(value);
  if (value < 10_000) return whole.format(Math.round(value));
  if (value < 1e6) return `${one.format(value / 1e3)} k`;
  if (value < 1e9) return `${one.format(value / 1e6)} M`;
  return `${one.format(value / 1e9)} G`;
}

export function bytes(value) {
  if (value == null || Number.isNaN(value)) return '–';
  const units = ['B', 'kB', 'MB', 'GB', 'TB'];
  let unit = 0;
  while (value >= 1000 && unit < units.length - 1) {
    value /= 1000;
    unit++;
  }
  return `${unit === 0 ? Math.round(value) : one.format(value)} ${units[unit]}`;
}

// A duration in ms, to two units: "3 d 4 h", "412 ms".
export function duration(ms) {
  if (ms == null || Number.isNaN(ms)) return '–';
  if (!Number.isFinite(ms)) return 'never';
  if (ms < 0) return `-${duration(-ms)}`;
  if (ms < 1000) return `${Math.round(ms)} ms`;
  if (ms < 10_000) return `${one.format(ms / 1000)} s`;
  const steps = [['d', 86_400_000], ['h', 3_600_000], ['min', 60_000], ['s', 1000]];
  const first = steps.findIndex(([, size]) => ms >= size);
  const [unit, size] = steps[first];
  const rest = steps[first + 1];
  const left = rest ? Math.floor((ms % size) / rest[1]) : 0;
  return `${Math.floor(ms / size)} ${unit}${left > 0 ? ` ${left} ${rest[0]}` : ''}`;
}

const two = (value, digits = 2) => String(value).padStart(digits, '0');

// The clock time with milliseconds; with the date where it is not today's.
export function time(at, now = Date.now()) {
  const date = new Date(at);
  if (Number.isNaN(date.getTime())) return '–';
  const clock = `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}.${two(date.getMilliseconds(), 3)}`;
  return new Date(now).toDateString() === date.toDateString()
    ? clock : `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())} ${clock}`;
}

export const ago = (at, now = Date.now()) => (at == null ? '–' : `${duration(Math.max(0, now - new Date(at).getTime()))} ago`);

export const plural = (number, noun, nouns = `${noun}s`) => `${count(number)} ${number === 1 ? noun : nouns}`;
