#!/usr/bin/env bash
# coverage.sh: which regions of reference/protocol the seeds reach; one that none does and that fuzz/unreached.toml does not list
# fails. They are replayed by an ordinary test, and what asks for coverage is what all targets together reach.
. "$(dirname "$0")/../ci/env.sh"
. fuzz/run.sh
profile=target/fuzz-coverage
major=$(rustc -vV | sed -n 's/^LLVM version: \([0-9]*\).*/\1/p')
tools=$(rustc --print sysroot)/lib/rustlib/$host/bin
[ -x "$tools/llvm-cov" ] || { ci/need package "llvm-$major"; tools=/usr/lib/llvm-$major/bin; }
rm -rf "$profile" && mkdir -p "$profile"
export RUSTFLAGS=-Cinstrument-coverage LLVM_PROFILE_FILE=$PWD/$profile/%p.profraw CARGO_TARGET_DIR=$built/coverage
object=$(cargo test --locked -p fuzz-checks --test replay --no-run 2>&1 | sed -n 's/.*(\(.*replay-.*\))$/\1/p')
"$object" no_seed_fails > /dev/null 2>&1
"$tools/llvm-profdata" merge -sparse "$profile"/*.profraw -o "$profile/seeds.profdata"
"$tools/llvm-cov" report "$object" -instr-profile="$profile/seeds.profdata" reference/protocol/src
"$tools/llvm-cov" show "$object" -instr-profile="$profile/seeds.profdata" reference/protocol/src \
    --show-regions --show-line-counts-or-regions > "$profile/lines.txt"
echo "line by line: $profile/lines.txt"
"$tools/llvm-cov" export "$object" -instr-profile="$profile/seeds.profdata" reference/protocol/src > "$profile/export.json"
unset RUSTFLAGS LLVM_PROFILE_FILE CARGO_TARGET_DIR
cargo run --quiet --locked -p fuzz-checks --bin fuzz-seeds coverage "$profile/export.json"
