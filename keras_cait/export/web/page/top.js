// The most probable classes.

/** Index and probability of the `number` most probable classes, the best first. */
export function topClasses(probabilities, number) {
  return Array.from(probabilities, (probability, index) => ({ index, probability }))
    .sort((a, b) => b.probability - a.probability) // stable: equal ones keep their order
    .slice(0, number);
}

/** A probability in percent, such as "62.3 %". */
export function percent(probability) {
  return `${(100 * probability).toFixed(1)} %`;
}
