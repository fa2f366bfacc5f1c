// Files of this folder, with their progress.

/**
 * The bytes of several files, by name.
 *
 * `files` has a name, a path and a size in bytes each, which a compressing server does
 * not tell; `report(loaded, total)` is called as they arrive.
 */
export async function download(files, report) {
  const total = files.reduce((sum, { size }) => sum + size, 0);
  let loaded = 0;
  const read = async ({ name, path }) => {
    const response = await fetch(path);
    if (!response.ok) {
      throw new Error(`${path} cannot be loaded: ${response.status} ${response.statusText}`);
    }
    const chunks = [];
    for await (const chunk of chunksOf(response.body)) {
      chunks.push(chunk);
      loaded += chunk.length;
      report(Math.min(loaded, total), total);
    }
    return [name, await new Blob(chunks).arrayBuffer()];
  };
  return Object.fromEntries(await Promise.all(files.map(read)));
}

/** The chunks of a stream; not every browser iterates over one by itself. */
async function* chunksOf(stream) {
  const reader = stream.getReader();
  for (let next = await reader.read(); !next.done; next = await reader.read()) {
    yield next.value;
  }
}
