# What every script here begins with: stop at the first error, stand in the root of the tree, find the tools that
# ci/need installs, and read nothing from whoever started it.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
export PATH="$PWD/target/tools/bin:$PATH"
export CARGO_TERM_COLOR=${CARGO_TERM_COLOR:-never} INSTA_UPDATE=no
# A clean clone is built once: what a second build could use takes longer to write than it saves.
[ "${CI:-}" != true ] || export CARGO_INCREMENTAL=0
exec < /dev/null
