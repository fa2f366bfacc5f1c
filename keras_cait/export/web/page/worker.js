// The thread that decodes, resizes and classifies, so that the page stays responsive.
//
// It receives {id, file} and posts {kind: "progress" | "ready" | "failed"} while it
// loads, then {kind: "result" | "refused", id} for each file.

import { Classifier } from "./classifier.js";

const loaded = Classifier.load((bytes, total) => {
  postMessage({ kind: "progress", bytes, total });
});
loaded.then(
  ({ description }) => postMessage({ kind: "ready", description }),
  (error) => postMessage({ kind: "failed", message: error.message }),
);

let last = Promise.resolve(); // one file after the other
let newest = 0;

addEventListener("message", ({ data }) => {
  newest = data.id;
  last = last.then(() => answer(data));
});

async function answer({ id, file }) {
  if (id !== newest) return; // another one was chosen meanwhile
  try {
    const classifier = await loaded;
    const result = await classifier.classify(file);
    postMessage({ kind: "result", id, ...result }, [result.picture]);
  } catch (error) {
    postMessage({ kind: "refused", id, message: error.message });
  }
}
