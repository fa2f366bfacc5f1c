"""The page of an exported model in Chromium, and what Keras says of the same files."""

import contextlib
import shutil
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from keras_cait.cli.demonstration.server import PageServer
from keras_cait.data.images.evaluation_transform import EvaluationTransform
from keras_cait.models.published.imagenet import preprocess_input
from keras_cait.models.published.preprocessing import preprocessing_for
from keras_cait.visualization import token_attention

_NAMES = ("chromium", "chromium-browser", "google-chrome")
# Nothing but this machine has a name.
_FLAGS = ["--no-sandbox", "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"]
# Copies of what the worker posts, for the numbers that the page shows as pictures.
_RECORDER = """
window.answers = [];
window.Worker = class extends Worker {
  constructor(...given) {
    super(...given);
    this.addEventListener("message", ({ data }) => window.answers.push(data));
  }
};
"""
_LAST_RESULT = """() => {
  const { probabilities, attention } = window.answers.at(-1);
  const { data, maps, rows, columns } = attention;
  return { probabilities: [...probabilities], data: [...data], maps, rows, columns };
}"""


@contextlib.contextmanager
def chromium() -> Iterator[Browser]:
    """Chromium of the system, without a window."""
    path = next(filter(None, map(shutil.which, _NAMES)), None)
    assert path, f"none of {', '.join(_NAMES)} is on the PATH"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=_FLAGS)
        yield browser
        browser.close()


@contextlib.contextmanager
def served(site: Path, files: dict[str, Path] | None = None) -> Iterator[str]:
    """The address of an exported folder."""
    with PageServer(site, files=files) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server.address
        server.shutdown()


@dataclass
class Visit:
    """One visit of a page: its requests, and what its console printed."""

    page: Page
    context: BrowserContext
    requests: list[str] = field(default_factory=list)
    printed: list[str] = field(default_factory=list)

    def open(self, address: str, state: str = "Ready") -> None:
        """Opens the page, and waits until it is ready for an image."""
        self.page.goto(address)
        self.wait(state)

    def wait(self, text: str) -> None:
        """Waits until the status or the error has a text."""
        matching = self.page.locator("#status, #error").filter(has_text=text)
        matching.first.wait_for(state="attached", timeout=120_000)

    def classify(self, name: str, file: bytes) -> dict[str, Any]:
        """Chooses a file; returns what the page shows and what the model gave."""
        self.choose(name, file)
        self.wait("Most probable")
        return self.result()

    def choose(self, name: str, file: bytes) -> None:
        given: Any = {"name": name, "mimeType": "", "buffer": file}
        self.page.set_input_files("#choose", given)

    def result(self) -> dict[str, Any]:
        found = self.page.evaluate(_LAST_RESULT)
        shape = (found["maps"], found["rows"], found["columns"])
        return {
            "names": self.page.locator("#classes .label").all_inner_texts(),
            "values": self.page.locator("#classes .value").all_inner_texts(),
            "probabilities": np.array(found["probabilities"]),
            "attention": np.reshape(found["data"], shape),
        }

    def refusal(self, name: str, file: bytes) -> str:
        """Chooses a file that is refused; returns the sentence that the page shows."""
        self.choose(name, file)
        self.wait("Choose another one.")
        return self.page.locator("#error").inner_text()


@contextlib.contextmanager
def visit(browser: Browser, **options: Any) -> Iterator[Visit]:
    """A new window, with nothing cached; options as of Playwright."""
    context = browser.new_context(service_workers="block", **options)
    page = context.new_page()
    page.add_init_script(_RECORDER)
    here = Visit(page, context)
    context.on("request", lambda request: here.requests.append(request.url))
    context.on("console", lambda message: here.printed.append(message.text))
    page.on("pageerror", lambda error: here.printed.append(str(error)))
    yield here
    context.close()


def of_keras(model: keras.Model, record: bytes | np.ndarray) -> dict[str, np.ndarray]:
    """Probabilities and class attention of a file, or of its pixels, by Keras."""
    preprocessing = preprocessing_for(model)
    channels = model.input_shape[-1]
    transform = EvaluationTransform.from_preprocessing(preprocessing, channels=channels)
    pixels = transform(tf.constant(record)).numpy()
    inputs = preprocess_input(pixels[None].astype("float32"), preprocessing=model)
    maps = token_attention(model, inputs)["class"].values()
    return {
        "probabilities": model.predict_on_batch(inputs)[0],
        "attention": np.concatenate(list(maps), axis=1)[0],
    }


def assert_equal(found: dict[str, Any], expected: dict[str, np.ndarray]) -> None:
    """The page shows the five best classes of Keras, and nearly its numbers."""
    best = np.argsort(-expected["probabilities"], kind="stable")[:5]
    assert found["names"] == [f"class {index}" for index in best]
    shown = [f"{100 * value:.1f} %" for value in found["probabilities"][best]]
    assert found["values"] == shown
    difference = abs(found["probabilities"] - expected["probabilities"])
    assert difference.max() < 1e-3
    assert abs(found["attention"] - expected["attention"]).max() < 1e-3
