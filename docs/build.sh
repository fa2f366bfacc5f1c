#!/usr/bin/env bash
# Builds the documentation as a site in build/site.
#
# The pages are read from a copy with the same folders as the repository, so that a relative link leads to the same
# page on a code host and in the site. A warning is an error: broken links and anchors, names without a docstring.
set -euo pipefail
cd "$(dirname "$0")/.."

rm -rf build/pages
mkdir -p build/pages
tar --create --exclude=__pycache__ README.md CHANGELOG.md CITATION.cff LICENSE docs recipes export tests/*/README.md \
  | tar --extract --directory build/pages

exec "${PYTHON:-.venv/bin/python}" -m zensical build --strict --clean
