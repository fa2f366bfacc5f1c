// The page: passes images to the worker and shows what comes back.

import { AttentionView } from "./attention_view.js";
import { showClasses } from "./classes_view.js";
import { receiveFiles } from "./intake.js";

const part = (id) => document.getElementById(id);
const megabytes = (bytes) => (bytes / 1e6).toFixed(1);
const worker = new Worker("worker.js", { type: "module" });

let sent = 0; // number of the newest image
let description;
let attention;

const answers = {
  progress({ bytes, total }) {
    part("loading-text").textContent =
      bytes < total
        ? `Loading the model and its runtime: ${megabytes(bytes)} of ${megabytes(total)} MB`
        : "Preparing the model";
    Object.assign(part("loading-bar"), { max: total, value: bytes });
  },

  ready(message) {
    description = message.description;
    const { name, imageSize, labels, weights, isRandom } = description;
    document.title = name;
    part("name").textContent = name;
    part("facts").textContent =
      `${imageSize.join(" × ")} pixels, ${labels.length} classes, weights: ${weights}. ` +
      "No image leaves this device.";
    part("random").hidden = !isRandom;
    part("loading").hidden = true;
    attention = new AttentionView(
      { canvas: part("canvas"), caption: part("shown"), form: part("maps"), opacity: part("opacity") },
      description.attention,
    );
    if (!sent) say("Ready. From here on the page needs no network.");
  },

  failed({ message }) {
    part("loading").hidden = true;
    part("intake").hidden = true;
    say("");
    part("error").textContent = `The model cannot be loaded. ${message}`;
  },

  result({ id, probabilities, picture, attention: maps }) {
    if (id !== sent) return;
    part("result").hidden = false;
    say(showClasses(part("classes"), probabilities, description.labels), "spoken");
    attention.show(picture, maps);
  },

  refused({ id, message }) {
    if (id !== sent) return;
    part("result").hidden = true;
    say("");
    part("error").textContent = `${message} Choose another one.`;
  },
};

worker.addEventListener("message", ({ data }) => answers[data.kind](data));
worker.addEventListener("error", () => {
  answers.failed({ message: "This browser is too old: it runs no modules in workers." });
});

receiveFiles(document, {
  onFile: send,
  onNothing: () => {
    part("error").textContent = "This is no image file. Save the image, then choose its file.";
  },
});

/** Text for everybody; "spoken" for screen readers alone, as others see it below. */
function say(text, className = "") {
  Object.assign(part("status"), { textContent: text, className });
}

function send(file) {
  part("error").textContent = "";
  say("Classifying the image …");
  worker.postMessage({ id: ++sent, file });
}

/** Classifies a file of this server that the address names: `?image=photo.jpg`. */
async function sendGiven(path) {
  try {
    const response = await fetch(path);
    if (!response.ok) throw new Error(response.statusText);
    send(await response.blob());
  } catch {
    part("error").textContent = `${path} cannot be loaded from this server.`;
  }
}

const given = new URLSearchParams(location.search).get("image");
if (given) sendGiven(given);
