/** google.protobuf.Timestamp and Duration as text. */

/** Seconds and nanoseconds, as both messages have them. */
export interface Seconds {
  readonly seconds: bigint;
  readonly nanos: number;
}

/** 0001-01-01T00:00:00Z and 9999-12-31T23:59:59Z, in seconds since 1970. */
const MIN_TIMESTAMP = -62_135_596_800n;
const MAX_TIMESTAMP = 253_402_300_799n;
/** About 10,000 years. */
const MAX_DURATION = 315_576_000_000n;
const MAX_NANOS = 999_999_999;

const TIMESTAMP =
  /^([0-9]{4})-([0-9]{2})-([0-9]{2})T([0-9]{2}):([0-9]{2}):([0-9]{2})(?:\.([0-9]{1,9}))?(?:Z|([+-])([0-9]{2}):([0-9]{2}))$/;
const DURATION = /^(-?)([0-9]+)(?:\.([0-9]{1,9}))?s$/;

/** Returns the text of a point in time, "2024-02-29T12:00:00.500Z"; undefined when it is outside the years 1 to 9999. */
export function timestampText({ seconds, nanos }: Seconds): string | undefined {
  if (seconds < MIN_TIMESTAMP || seconds > MAX_TIMESTAMP || nanos < 0 || nanos > MAX_NANOS) return undefined;
  // Milliseconds of these years are exact in a double.
  const whole = new Date(Number(seconds) * 1000).toISOString().slice(0, 19);
  return `${whole}${fractionText(nanos)}Z`;
}

/** Returns the point in time that a text of RFC 3339 means; undefined when it means none in the years 1 to 9999. */
export function fromTimestampText(text: string): Seconds | undefined {
  const parts = TIMESTAMP.exec(text);
  if (parts === null) return undefined;
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = parts.slice(1, 7).map(Number);
  const [offsetHour, offsetMinute] = [Number(parts[9] ?? 0), Number(parts[10] ?? 0)];
  if (month < 1 || month > 12 || day < 1 || day > daysIn(year, month)) return undefined;
  if (hour > 23 || minute > 59 || second > 59 || offsetHour > 23 || offsetMinute > 59) return undefined;
  const date = new Date(0);
  // Date.UTC takes years under 100 for those of the 20th century.
  date.setUTCFullYear(year, month - 1, day);
  const offset = (offsetHour * 60 + offsetMinute) * (parts[8] === "-" ? -1 : 1);
  const seconds = BigInt(date.getTime() / 1000 + hour * 3600 + (minute - offset) * 60 + second);
  if (seconds < MIN_TIMESTAMP || seconds > MAX_TIMESTAMP) return undefined;
  return { seconds, nanos: nanosOf(parts[7]) };
}

/** Returns the text of a span of time, "1.500s"; undefined when it is too long, or its parts have different signs. */
export function durationText({ seconds, nanos }: Seconds): string | undefined {
  if (seconds < -MAX_DURATION || seconds > MAX_DURATION || nanos < -MAX_NANOS || nanos > MAX_NANOS) return undefined;
  if ((seconds > 0n && nanos < 0) || (seconds < 0n && nanos > 0)) return undefined;
  const isNegative = seconds < 0n || nanos < 0;
  return `${isNegative ? "-" : ""}${isNegative ? -seconds : seconds}${fractionText(Math.abs(nanos))}s`;
}

/** Returns the span of time that a text means; undefined when it means none, or one that is too long. */
export function fromDurationText(text: string): Seconds | undefined {
  const parts = DURATION.exec(text);
  if (parts === null) return undefined;
  const [, sign, whole = "", fraction] = parts;
  const digits = whole.replace(/^0+/, "");
  if (digits.length > 12) return undefined;
  const [seconds, nanos] = [BigInt(digits), nanosOf(fraction)];
  if (seconds > MAX_DURATION) return undefined;
  return sign === "-" ? { seconds: -seconds, nanos: nanos === 0 ? 0 : -nanos } : { seconds, nanos };
}

/** None, three, six or nine digits. */
function fractionText(nanos: number): string {
  if (nanos === 0) return "";
  const digits = String(nanos).padStart(9, "0");
  if (nanos % 1_000_000 === 0) return `.${digits.slice(0, 3)}`;
  return nanos % 1000 === 0 ? `.${digits.slice(0, 6)}` : `.${digits}`;
}

function nanosOf(fraction: string | undefined): number {
  return Number((fraction ?? "").padEnd(9, "0"));
}

function daysIn(year: number, month: number): number {
  if (month === 2) return year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0) ? 29 : 28;
  return [4, 6, 9, 11].includes(month) ? 30 : 31;
}
