# What the scripts about fuzzing share; sourced after ci/env.sh.
all=(parse_request parse_reply round_trip case_file engine connection)
host=$(rustc -vV | sed -n 's/^host: //p')
# What these look for does not happen without unsafe code, and takes a third of the time that is left. Where memory was
# allocated is said when a finding is replayed without them.
export ASAN_OPTIONS=detect_stack_use_after_return=0:quarantine_size_mb=1:malloc_context_size=0
built=$(realpath -m "${CARGO_TARGET_DIR:-fuzz/target}")

# Sanitizers want an unstable flag: of a nightly compiler if there is one, else of the pinned one, told to allow it.
compiler=(cargo +nightly)
rustup toolchain list 2> /dev/null | grep -q '^nightly' || compiler=(env RUSTC_BOOTSTRAP=1 cargo)

# build DIRECTORY OPTION...: the targets of the tree in DIRECTORY. Comparisons are not traced: the dictionary does what that
# is for, and it takes two thirds of the time. libFuzzer itself is not sanitized, which took half of what was left: the crate
# that compiles it takes over the flags of the targets.
build() {
    (cd "$1" && shift && CXXFLAGS="${CXXFLAGS:-} -fno-sanitize=all" RUSTC_WRAPPER=$PWD/fuzz/rustc.sh \
        "${compiler[@]}" fuzz build --no-trace-compares --fuzz-dir fuzz --target-dir "$built" "$@")
}

# seeds_tool COMMAND...: the program beside the checks, without what only other commands of it need.
seeds_tool() {
    cargo run --quiet --locked -p fuzz-checks --no-default-features --bin fuzz-seeds "$@"
}

# parsers TARGET: the options that leave out what the target has no need of.
parsers() {
    case $1 in
    parse_* | round_trip) echo --no-default-features ;;
    engine) echo --no-default-features --features engine ;;
    esac
}

# fuzz TARGET SECONDS CORPUS ARTIFACTS: fails on a finding, a leak, a slow input, and on memory without bounds.
fuzz() {
    local target=$1 length=512 manner=()
    # A parser runs so fast that libFuzzer's bookkeeping, which chooses better among fewer inputs, takes half of the time.
    case $target in
    parse_*) length=64 manner=(-use_counters=0 -entropic=0 -reduce_inputs=0) ;;
    case_file) length=2048 ;;
    connection) length=1024 ;;
    esac
    mkdir -p "$3" "$4"
    "$built/$host/release/$target" "$3" -artifact_prefix="$4/" -max_total_time="$2" -dict=fuzz/dictionary \
        -max_len=$length -timeout=10 -report_slow_units=5 -rss_limit_mb=1024 -malloc_limit_mb=128 -print_final_stats=1 \
        "${manner[@]}" "${@:5}" || return 1
    [ -z "$(find "$4" -name 'slow-unit-*' -newer "$built/$host/release/$target")" ] || { echo "fuzz: $target has a slow input in $4"; return 1; }
}
