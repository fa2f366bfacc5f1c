// The list of the most probable classes.

import { percent, topClasses } from "./top.js";

const SHOWN = 5;

/** Fills the list; returns one sentence about it for screen readers. */
export function showClasses(list, probabilities, labels) {
  const best = topClasses(probabilities, SHOWN);
  list.replaceChildren(
    ...best.map(({ index, probability }) => {
      const item = document.createElement("li");
      const bar = part("bar", "");
      bar.style.setProperty("--part", `${100 * probability}%`);
      item.append(part("label", labels[index]), part("value", percent(probability)), bar);
      return item;
    }),
  );
  const [first, ...others] = best.map(
    ({ index, probability }) => `${labels[index]} ${percent(probability)}`,
  );
  return `Most probable: ${first}. Then ${others.join(", ")}.`;
}

function part(name, text) {
  const element = document.createElement("span");
  element.className = name;
  element.textContent = text;
  return element;
}
