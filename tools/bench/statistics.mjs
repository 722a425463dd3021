/** What a series of rounds comes to. */

/**
 * @param {number[]} values at least one
 * @param {number} share 0 to 1
 * @returns {number} the quantile, between the two values next to it
 */
export function quantile(values, share) {
  const sorted = [...values].sort((one, other) => one - other);
  const place = (sorted.length - 1) * share;
  const [below, above] = [sorted[Math.floor(place)], sorted[Math.ceil(place)]];
  return below + (above - below) * (place - Math.floor(place));
}

/** Returns the median of the rounds and how far they spread: the tenth and the ninetieth percentile. */
export function summary(values) {
  return { median: quantile(values, 0.5), p10: quantile(values, 0.1), p90: quantile(values, 0.9) };
}

/**
 * Returns the median of the ratios of two series, round by round: both took turns, so that what slowed a round down
 * slowed both. Rounds that one of them lacks are left out; without any, undefined.
 */
export function pairedRatio(values, others) {
  const ratios = values.flatMap((value, round) => (value > 0 && others[round] > 0 ? [value / others[round]] : []));
  return ratios.length === 0 ? undefined : quantile(ratios, 0.5);
}

/** Returns the median of what one series takes more than another, round by round; without a round that both have, undefined. */
export function pairedDifference(values, others) {
  const differences = values.flatMap((value, round) => (others[round] === undefined ? [] : [value - others[round]]));
  return differences.length === 0 ? undefined : quantile(differences, 0.5);
}
