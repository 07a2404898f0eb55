#!/usr/bin/env bash
# seeds.sh [SECONDS]: seeds and dictionary from the conformance cases, grown for a while, minimised, packed.
. "$(dirname "$0")/../ci/env.sh"
. fuzz/run.sh
rm -rf fuzz/corpus
cargo run --quiet --locked -p fuzz-checks --bin fuzz-seeds make
build .
for target in "${all[@]}"; do
    fuzz "$target" "${1:-30}" "fuzz/corpus/$target" "fuzz/artifacts/$target" -seed=1 > /dev/null 2>&1
    mv "fuzz/corpus/$target" "fuzz/corpus/$target.all"
    fuzz "$target" 0 "fuzz/corpus/$target" "fuzz/artifacts/$target" "fuzz/corpus/$target.all" -merge=1 -use_counters=0 > /dev/null 2>&1
    rm -r "fuzz/corpus/$target.all"
done
cargo run --quiet --locked -p fuzz-checks --bin fuzz-seeds pack
