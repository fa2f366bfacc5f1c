"""The page as people use it: keyboard, phone, errors, and no other host."""

import base64
import re

import pytest

from tests.support.data.photographs import encoded, photograph
from tests.support.export.browser import served, visit
from tests.support.export.malformed_images import HUGE, WHOLE, corpus

pytestmark = pytest.mark.browser

PHOTO = encoded(photograph())
PHONE = {"width": 375, "height": 667}
GIVE = """([kind, type, name, text]) => {
  const bytes = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
  const data = new DataTransfer();
  if (name) data.items.add(new File([bytes], name, { type }));
  const event = kind === "paste"
    ? new ClipboardEvent("paste", { clipboardData: data, bubbles: true })
    : new DragEvent("drop", { dataTransfer: data, bubbles: true, cancelable: true });
  document.body.dispatchEvent(event);
}"""


@pytest.fixture(scope="module")
def address(pages):
    with served(pages["cait"][1]) as found:
        yield found


@pytest.fixture
def here(browser, address):
    """A fresh visit; nothing may be asked of another host, and nothing printed."""
    with visit(browser) as found:
        found.open(address)
        yield found
        assert [url for url in found.requests if not url.startswith(address)] == []
    assert found.printed == []


def test_says_what_it_runs_and_that_weights_are_random(here):
    assert here.page.title() == here.page.locator("h1").inner_text() == "cait"
    facts = here.page.locator("#facts").inner_text()
    assert "64 \u00d7 64 pixels, 20 classes, weights: random" in facts
    assert "Random weights" in here.page.locator("#random").inner_text()
    assert not here.page.locator("#loading").is_visible()


def test_loading_shows_its_progress(browser, address):
    with visit(browser) as here:
        held = []
        here.context.route("**/model.onnx*", lambda route: held.append(route))
        here.page.goto(address)
        bar = here.page.get_by_role("progressbar")
        text = re.compile(r"Loading the model and its runtime: \d+\.\d of \d+\.\d MB")
        here.page.locator("#loading-text").filter(has_text=text).wait_for()
        loaded, total = (float(bar.get_attribute(n) or 0) for n in ("value", "max"))
        assert 0 < loaded < total
        # An image that is chosen meanwhile waits.
        here.choose("temple.jpg", PHOTO)
        held[0].continue_()
        here.wait("Most probable")
        assert not bar.is_visible()


def test_works_offline_once_loaded(here):
    here.context.set_offline(True)
    before = len(here.requests)
    assert len(here.classify("temple.jpg", PHOTO)["names"]) == 5
    assert len(here.requests) == before


def test_a_missing_model_is_said(browser, address):
    with visit(browser) as here:
        here.context.route("**/model.onnx*", lambda route: route.fulfill(status=404))
        here.page.goto(address)
        here.wait("The model cannot be loaded.")
        assert "404" in here.page.get_by_role("alert").inner_text()


@pytest.mark.parametrize("kind", ["paste", "drop"])
def test_images_are_pasted_and_dropped(kind, here):
    given = [kind, "image/jpeg", "a.jpg", base64.b64encode(PHOTO).decode()]
    here.page.evaluate(GIVE, given)
    here.wait("Most probable")
    here.page.evaluate(GIVE, [kind, "", "", ""])
    here.wait("This is no image file")


@pytest.mark.parametrize(
    ("name", "file", "sentence"),
    [
        ("notes.txt", b"hello", "This is no image. The page reads JPEG, PNG"),
        ("a.svg", b"<svg xmlns='http://www.w3.org/2000/svg'/>", "This is no image."),
        ("empty.jpg", b"", "This is no image."),
        ("half.jpg", PHOTO[: len(PHOTO) // 2], "The image is damaged"),
        ("half.png", WHOLE["PNG"][:-500], "The image is damaged"),
        ("huge.png", HUGE["PNG"], "100,000 \u00d7 100,000 pixels, 10,000 megapixels"),
        ("huge.jpg", HUGE["JPEG"], "at most 50 megapixels"),
    ],
)
def test_refuses_with_a_sentence_and_goes_on(name, file, sentence, here):
    here.classify("temple.jpg", PHOTO)
    refusal = here.refusal(name, file)
    assert sentence in refusal
    assert here.page.get_by_role("alert").inner_text() == refusal
    assert not here.page.locator("#result").is_visible()
    here.classify("temple.jpg", PHOTO)
    assert here.page.locator("#error").inner_text() == ""


def test_refuses_large_files(here, tmp_path):
    (tmp_path / "large.jpg").write_bytes(PHOTO + bytes(60_000_000))
    here.page.set_input_files("#choose", tmp_path / "large.jpg")
    here.wait("The file is too large: 60.0 MB. The page reads files of at most 50 MB.")


def test_a_hundred_malformed_files_are_classified_or_refused(here):
    states = "#status:text('Most probable'), #error:text('Choose another one.')"
    for number, file in enumerate(corpus()):
        here.choose(f"{number}.jpg", file)
        here.page.locator(states).first.wait_for(state="attached", timeout=30_000)
    assert len(here.classify("temple.jpg", PHOTO)["names"]) == 5


def test_the_newest_image_wins(here):
    here.choose("large.jpg", encoded(photograph(3000, 4000)))
    here.choose("large.jpg", encoded(photograph(3000, 4000)))
    last = here.classify("temple.jpg", PHOTO)
    again = here.classify("temple.jpg", PHOTO)
    assert last["values"] == again["values"]


def test_works_by_keyboard_alone(here):
    page = here.page
    page.on("filechooser", lambda _: None)  # from here on none opens a window
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.id") == "choose"
    with page.expect_file_chooser() as chooser:
        page.keyboard.press("Enter")
    given = {"name": "a.jpg", "mimeType": "image/jpeg", "buffer": PHOTO}
    chooser.value.set_files(given)
    here.wait("Most probable")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.id") == "opacity"
    before = page.evaluate("canvas.toDataURL()")
    page.keyboard.press("Home")
    assert page.evaluate("canvas.toDataURL()") != before
    page.keyboard.press("Tab")
    caption = page.locator("#shown")
    assert caption.inner_text().startswith("Class-attention block 2, mean of the heads")
    page.keyboard.press("ArrowRight")
    assert caption.inner_text().startswith("Class-attention block 2, head 1")


def test_everything_has_a_name_and_a_role(here):
    page = here.page
    assert page.get_by_label("Choose an image").get_attribute("type") == "file"
    here.classify("temple.jpg", PHOTO)
    groups = page.get_by_role("group")
    assert groups.count() == 2
    block = page.get_by_role("group", name="Class-attention block 1")
    assert block.get_by_role("radio").count() == 5
    block.get_by_role("radio", name="Head 3").check(force=True)
    picture = page.get_by_role("img", name="Class-attention block 1, head 3")
    assert picture.is_visible()
    assert page.get_by_role("slider", name="Overlay").is_visible()
    assert page.get_by_role("listitem").count() == 5
    status = page.get_by_role("status").inner_text()
    assert re.match(r"Most probable: class \d+ [\d.]+ %\. Then class", status)


def test_the_choice_of_a_head_stays(here):
    here.classify("temple.jpg", PHOTO)
    here.page.get_by_role("radio", name="Head 2").first.check(force=True)
    here.classify("other.png", encoded(photograph(100, 100), "PNG"))
    assert "block 1, head 2" in here.page.locator("#shown").inner_text()
    assert here.page.get_by_role("radio", name="Head 2").first.is_checked()


@pytest.mark.parametrize("name", ["cait", "deit", "rectangles"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_fits_a_phone(name, scheme, browser, pages):
    width = "document.documentElement.scrollWidth"
    with (
        served(pages[name][1]) as address,
        visit(
            browser,
            viewport=PHONE,
            is_mobile=True,
            has_touch=True,
            color_scheme=scheme,
        ) as here,
    ):
        here.open(address)
        assert here.page.evaluate(width) == 375
        camera = here.page.get_by_label("Take a photo")
        assert camera.get_attribute("capture") == "environment"
        assert here.page.get_by_text("Take a photo").is_visible()
        here.classify("temple.jpg", PHOTO)
        assert here.page.evaluate(width) == 375
        background = "getComputedStyle(document.body).backgroundColor"
        channels = re.findall(r"\d+", here.page.evaluate(background))
        assert (int(channels[0]) > 128) == (scheme == "light")
        here.refusal("notes.txt", b"hello")
        assert here.page.evaluate(width) == 375


def test_the_address_may_name_an_image(browser, pages, tmp_path):
    (tmp_path / "photo.jpg").write_bytes(PHOTO)
    files = {"given": tmp_path / "photo.jpg"}
    with served(pages["cait"][1], files) as address, visit(browser) as here:
        here.open(f"{address}?image=given", state="Most probable")
        here.open(f"{address}?image=none", state="cannot be loaded")
        here.open(f"{address}?image=//example.com/a.jpg", state="cannot be loaded")
