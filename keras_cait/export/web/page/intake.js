// Image files that are chosen, photographed, dropped or pasted.

/** Calls `onFile` with each file, and `onNothing` if what was given holds none. */
export function receiveFiles(document, { onFile, onNothing }) {
  const take = (files) => (files.length ? onFile(files[0]) : onNothing());

  for (const input of document.querySelectorAll("input[type=file]")) {
    input.addEventListener("change", () => {
      if (input.files.length) take(input.files);
      input.value = ""; // the same file may be chosen again
    });
  }
  document.addEventListener("paste", ({ clipboardData }) => take(clipboardData.files));
  document.addEventListener("drop", (event) => {
    event.preventDefault();
    document.body.classList.remove("dropping");
    take(event.dataTransfer.files);
  });
  document.addEventListener("dragover", (event) => {
    event.preventDefault(); // allows the drop
    document.body.classList.add("dropping");
  });
  document.addEventListener("dragleave", (event) => {
    if (!event.relatedTarget) document.body.classList.remove("dropping");
  });
}
