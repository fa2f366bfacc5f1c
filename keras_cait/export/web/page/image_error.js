// An error that the person at the page can mend by another image.

export class ImageError extends Error {
  name = "ImageError";
}
