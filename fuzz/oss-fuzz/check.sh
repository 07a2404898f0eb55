#!/usr/bin/env bash
# check.sh: runs build.sh as OSS-Fuzz does, but for the compiler, whose place the targets take that ci/fuzz has built; then
# starts every target that it delivers, with its dictionary, on its seeds.
. "$(dirname "$0")/../../ci/env.sh"
. fuzz/run.sh
ci/need package zip unzip
place=$(mktemp -d)
trap 'rm -r "$place"' EXIT
mkdir "$place/src" "$place/out" "$place/work"
ln -s "$PWD" "$place/src/mcspec"
cargo() { [ "$1" = fuzz ] || command cargo "$@"; }
export -f cargo
SRC=$place/src OUT=$place/out WORK=$place/work SANITIZER=address FUZZING_ENGINE=libfuzzer ARCHITECTURE=x86_64 \
    RUSTFLAGS='--cfg fuzzing' CFLAGS=-O1 CXXFLAGS=-O1 bash -eu fuzz/oss-fuzz/build.sh > "$place/log" 2>&1 \
    || { cat "$place/log"; echo "fuzz: fuzz/oss-fuzz/build.sh fails"; exit 1; }
for target in "${all[@]}"; do
    unzip -q "$place/out/${target}_seed_corpus.zip" -d "$place/seeds-$target"
    length=$(sed -n 's/^max_len = //p' "$place/out/$target.options")
    "$place/out/$target" -runs=0 -max_len="$length" -dict="$place/out/$target.dict" "$place/seeds-$target" > "$place/log" 2>&1 \
        || { cat "$place/log"; echo "fuzz: $target, as build.sh delivers it, does not start"; exit 1; }
done
echo "oss-fuzz       ${#all[@]} targets, seeds and dictionaries delivered"
