#!/bin/bash -eu
# Called by the base image: builds every target with its flags, and puts targets, seeds and dictionary into $OUT.
cd "$SRC/mcspec"
cargo fuzz build -O --no-trace-compares
release=${CARGO_TARGET_DIR:-fuzz/target}/x86_64-unknown-linux-gnu/release
# Seeds are unpacked by an ordinary program; it must not be built with the sanitizer's flags.
env -u RUSTFLAGS -u CFLAGS -u CXXFLAGS cargo run --quiet --locked -p fuzz-checks --no-default-features \
    --bin fuzz-seeds unpack
for source in fuzz/fuzz_targets/*.rs; do
    target=$(basename "$source" .rs)
    cp "$release/$target" "$OUT/"
    (cd "fuzz/corpus/$target" && zip -q -r "$OUT/${target}_seed_corpus.zip" .)
    cp fuzz/dictionary "$OUT/$target.dict"
    printf '[libfuzzer]\nmax_len = 2048\n' > "$OUT/$target.options"
done
