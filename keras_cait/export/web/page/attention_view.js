// The attention of each head and block: thumbnails, and the chosen one over the image.

import { heatPixels, meanMap } from "./heat.js";

const THUMBNAIL = 96; // pixels of the longer side
const OPEN_BLOCKS = 2; // the last ones; of CaiT these are all of class attention

/** Shows one image's attention; the choice of a head stays from image to image. */
export class AttentionView {
  constructor({ canvas, caption, form, opacity }, { blocks, heads }) {
    Object.assign(this, { canvas, caption, form, opacity, blocks, heads });
    this.chosen = `${blocks.length - 1} mean`;
    form.addEventListener("change", ({ target }) => {
      this.chosen = target.value;
      this.draw();
      canvas.scrollIntoView({ block: "nearest" }); // on a phone it may be above
    });
    form.addEventListener("submit", (event) => event.preventDefault());
    opacity.addEventListener("input", () => this.draw());
  }

  /** Replaces the image and its maps. */
  show(picture, attention) {
    this.picture?.close();
    this.picture = picture;
    this.grid = attention;
    this.maps = this.named(attention);
    const fieldsets = this.blocks.map((name, block) => this.fieldset(name, block));
    const earlier = fieldsets.slice(0, -OPEN_BLOCKS);
    const content = fieldsets.slice(-OPEN_BLOCKS);
    if (earlier.length) {
      const details = document.createElement("details");
      details.open = this.form.querySelector("details")?.open ?? false;
      details.append(element("summary", `Earlier blocks (${earlier.length})`), ...earlier);
      content.push(details);
    }
    this.form.replaceChildren(...content);
    this.draw();
  }

  /** Draws the chosen map over the image. */
  draw() {
    const { title, values } = this.maps.get(this.chosen);
    this.caption.textContent = `${title}, over the image`;
    const { width, height } = this.picture;
    Object.assign(this.canvas, { width, height });
    const context = this.canvas.getContext("2d");
    context.drawImage(this.picture, 0, 0);
    context.globalAlpha = this.opacity.value / 100;
    context.drawImage(this.heat(values, height, width), 0, 0);
  }

  /** Title and values of each map, by the value of its radio button. */
  named({ data, rows, columns }) {
    const size = rows * columns;
    const named = new Map();
    this.blocks.forEach((name, block) => {
      const heads = Array.from({ length: this.heads }, (_, head) => {
        const start = (block * this.heads + head) * size;
        return data.slice(start, start + size);
      });
      named.set(`${block} mean`, { title: `${name}, mean of the heads`, values: meanMap(heads) });
      heads.forEach((values, head) => {
        named.set(`${block} ${head}`, { title: `${name}, head ${head + 1}`, values });
      });
    });
    return named;
  }

  fieldset(name, block) {
    const fieldset = document.createElement("fieldset");
    const row = element("div", "", "row");
    row.append(this.thumbnail(`${block} mean`, "Mean"));
    for (let head = 0; head < this.heads; head++) {
      row.append(this.thumbnail(`${block} ${head}`, `Head ${head + 1}`));
    }
    fieldset.append(element("legend", name), row);
    return fieldset;
  }

  thumbnail(value, text) {
    const label = element("label", "", "map");
    const input = element("input", "");
    Object.assign(input, { type: "radio", name: "map", value, checked: value === this.chosen });
    const ratio = THUMBNAIL / Math.max(this.picture.width, this.picture.height);
    const canvas = this.heat(
      this.maps.get(value).values,
      Math.max(1, Math.round(this.picture.height * ratio)),
      Math.max(1, Math.round(this.picture.width * ratio)),
    );
    label.append(input, canvas, element("span", text));
    return label;
  }

  heat(values, height, width) {
    const canvas = element("canvas", "");
    Object.assign(canvas, { width, height });
    const pixels = heatPixels(values, this.grid.rows, this.grid.columns, height, width);
    canvas.getContext("2d").putImageData(new ImageData(pixels, width, height), 0, 0);
    return canvas;
  }
}

function element(tag, text, className = "") {
  const made = document.createElement(tag);
  made.textContent = text;
  made.className = className;
  return made;
}
