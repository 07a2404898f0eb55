#!/usr/bin/env bash
# rustc.sh COMPILER OPTION...: the compiler, told to watch what is tested, and nothing that safe code cannot do.
# - The crates of this tree: branches are counted. How deep the stack is, where a call by address leads, and what the
#   standard library demands of unsafe code is left out. The sanitizer watches the heap and statics, not arrays on the stack.
# - The judge: it is not tested, so neither its branches nor its memory are watched.
# - The crates of others: their counters would be read after every execution. Sanitized, but built for a short build; memchr
#   for a short run.
# What runs while building is compiled without --target, and left as it is.
case "${CARGO_MANIFEST_DIR:-} $*" in
*/registry/src/*' --target '*) crate=foreign ;;
*/fuzz/judge\ *' --target '*) crate=judge ;;
*' --target '*) crate=ours ;;
*) exec "$@" ;;
esac
kept=()
for option; do
    case $crate:$option in
    *:-Cllvm-args=-sanitizer-coverage-stack-depth) ;;
    ours:-Cllvm-args=-sanitizer-coverage-level=*) kept+=(-Cllvm-args=-sanitizer-coverage-level=3) ;;
    ours:*) kept+=("$option") ;;
    *:-Cpasses=sancov-module | *:-Cllvm-args=-sanitizer-coverage-* | judge:-[ZC]sanitizer=*) ;;
    *) kept+=("$option") ;;
    esac
done
case $crate:${CARGO_PKG_NAME:-} in
ours:*) kept+=(-Zub-checks=no -Cllvm-args=-asan-stack=0) ;;
judge:*) kept+=(-Zub-checks=no) ;;
foreign:memchr) kept+=(-Cdebuginfo=0 -Cdebug-assertions=off) ;;
foreign:*) kept+=(-Cdebuginfo=0 -Copt-level=1) ;;
esac
exec "${kept[@]}"
