#!/usr/bin/env bash
# prove.sh [FAULT...]: every fault of fuzz/faults, planted in a copy of the tree, is found within 60 s of processor time, which
# a busy machine does not lengthen.
. "$(dirname "$0")/../ci/env.sh"
. fuzz/run.sh
tree=target/fuzz-prove/tree missed=0 TIMEFORMAT=%0U
# Programs with faults in them must not be taken for those of this tree.
built=$(realpath -m target/fuzz-prove/build)
rm -rf "$tree" && mkdir -p "$tree"
git ls-files -z --cached --others --exclude-standard | xargs -0 ls -d 2> /dev/null | tar -cf - -T - | tar -xf - -C "$tree"
[ $# -gt 0 ] || set -- fuzz/faults/*.patch
seeds_tool unpack > /dev/null
for patch; do
    fault=$(basename "$patch" .patch) patch=fuzz/faults/$(basename "$patch" .patch).patch
    target=$(sed -n 's/^Target: //p' "$patch")
    patch --quiet -p1 -F0 -d "$tree" < "$patch" || { echo "fuzz: $patch does not apply any more; mend it"; exit 1; }
    # shellcheck disable=SC2046
    build "$tree" $(parsers "$target") "$target" > "$tree/build.log" 2>&1 || { cat "$tree/build.log"; exit 1; }
    rm -rf "$tree/found" "$tree/grown" && status=0
    spent=$({ time (ulimit -t 60 && fuzz "$target" 3600 "$tree/grown" "$tree/found" "fuzz/corpus/$target" -seed=1 \
        > "$tree/fuzz.log" 2>&1); } 2>&1) || status=$?
    if [ $status != 0 ] && compgen -G "$tree/found/crash-*" > /dev/null; then
        printf '%-32s %-14s found after %2d s\n' "$fault" "$target" "$spent"
    else
        printf '%-32s %-14s NOT FOUND\n' "$fault" "$target"
        missed=$((missed + 1))
    fi
    patch --quiet -R -p1 -F0 -d "$tree" < "$patch"
done
echo "$# faults, $missed not found"
[ $missed = 0 ]
