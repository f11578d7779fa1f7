#!/bin/sh
# Run a check and append what happened to DIR/NAME.run, bound to the content it ran on.
#
#   sh record-run.sh -n NAME [-m ERE] [-k ERE] [-d DIR] [-l LOG] -- COMMAND [ARG...]
#
#   -n NAME  name of the run: lower-case letters, digits, hyphens
#   -m ERE   marker: a line of output that must appear, or exit 0 does not count (ran no test at all)
#   -k ERE   key lines: matching lines of output are kept in the record, first 20, 4096 bytes
#   -d DIR   where records go, relative to the top of the repository (default: .evidence)
#   -l LOG   keep the whole output in this file as well; it may hold secrets, so keep it out of git
#
# The record names the git tree of everything that is tracked or could be, without DIR itself: so it survives
# amend, rebase and squash, and adding the record does not make the record stale. Output stays out of the
# record except for its size, its SHA-256 and the key lines. The arguments are recorded: pass no secret in them.
#
# The record is unsigned and local. It tells a reviewer what to run again; it does not replace the run.
#
# Exit: 0 PASSED, 1 FAILED, 2 usage, 3 ERROR (the check could not judge: program missing, time-out, killed,
# marker absent, or the tree moved while it ran). An ERROR is never a pass.
set -u
caller_locale=${LC_ALL-}
LC_ALL=C; export LC_ALL

usage() { printf 'record-run: %s\n' "$1" >&2; sed -n '4,10s/^# \{0,1\}//p' "$0" >&2; exit 2; }

name='' marker='' keys='' dir=.evidence log=''
while getopts n:m:k:d:l: o; do
    case $o in
        n) name=$OPTARG ;; m) marker=$OPTARG ;; k) keys=$OPTARG ;; d) dir=$OPTARG ;; l) log=$OPTARG ;;
        *) usage 'unknown option' ;;
    esac
done
shift $((OPTIND - 1))
case $name in '' | *[!a-z0-9-]*) usage 'name a run with -n, from a-z, 0-9 and -' ;; esac
case /$dir/ in *[!A-Za-z0-9._/-]* | *//* | */../* | */./* | /.git/*) usage '-d takes a plain path inside the repository' ;; esac
[ $# -gt 0 ] || usage 'no command'
for a in "$@" "$marker" "$keys"; do case $a in *'
'*) usage 'an argument holds a line break: put the command in a script' ;; esac; done
for e in "$marker" "$keys"; do          # a broken pattern must not read as "no match"
    [ -z "$e" ] || printf '' | grep -E -e "$e" >/dev/null || [ $? -eq 1 ] || usage "not a regular expression: $e"
done

top=$(git rev-parse --show-toplevel 2>/dev/null) || usage 'not inside a git work tree'
[ ! -L "$top/$dir" ] || usage "$dir is a symbolic link"
cwd=$(git rev-parse --show-prefix)
scratch=$(mktemp -d) || exit 3
trap 'rm -rf "$scratch"' EXIT
trap 'exit 3' HUP INT TERM

# A fresh index, not a copy of the repository's: flags such as assume-unchanged would hide an edit.
tree_of_work() {
    rm -f "$scratch/index"
    (
        GIT_INDEX_FILE=$scratch/index; export GIT_INDEX_FILE
        cd "$top" || exit 1
        if git rev-parse -q --verify HEAD >/dev/null; then git read-tree HEAD || exit 1; fi
        git -c advice.addEmbeddedRepo=false add -A -- . ":(exclude)$dir" || exit 1
        git rm -r -q -f --cached --ignore-unmatch -- "$dir" >/dev/null || exit 1
        git write-tree
    )
}

sha256() { if command -v sha256sum >/dev/null; then sha256sum; else shasum -a 256; fi | cut -d' ' -f1; }

before=$(tree_of_work) || { printf 'record-run: cannot compute the tree\n' >&2; exit 3; }
started=$(date -u +%Y-%m-%dT%H:%M:%SZ); from=$(date +%s)
(
    if [ -n "$caller_locale" ]; then LC_ALL=$caller_locale; else unset LC_ALL; fi   # the check sees what it always sees
    "$@"
) >"$scratch/out" 2>&1 </dev/null
status=$?
seconds=$(($(date +%s) - from))
after=$(tree_of_work) || after=unknown
cat "$scratch/out"
[ -z "$log" ] || cp "$scratch/out" "$log" || exit 3

result=FAILED why=''
case $status in
    0) result=PASSED ;;
    12[4-7]) result=ERROR why="exit $status: time-out, or the program is missing or cannot run" ;;
    *) [ "$status" -lt 128 ] || { result=ERROR why="exit $status: ended by a signal"; } ;;
esac
if [ $result = PASSED ] && [ -n "$marker" ] && ! grep -E -q -e "$marker" "$scratch/out"; then
    result=ERROR why='exit 0, but the marker did not appear in the output'
fi
if [ "$before" != "$after" ]; then result=ERROR why="the tree moved while the check ran: now $after"; fi

mkdir -p "$top/$dir" || exit 3
record=$top/$dir/$name.run
{
    [ ! -s "$record" ] || echo
    printf 'run: %s\nresult: %s\nexit: %s\n' "$name" $result $status
    [ -z "$why" ] || printf 'why: %s\n' "$why"
    printf 'tree: %s\nexcludes: %s\n' "$before" "$dir"
    printf 'commit: %s\n' "$(git rev-parse -q --verify HEAD || echo none)"
    printf 'cwd: %s\n' "./$cwd"
    for a; do printf 'arg: %s\n' "$a"; done
    [ -z "$marker" ] || printf 'marker: %s\n' "$marker"
    printf 'started: %s\nseconds: %s\n' "$started" "$seconds"
    printf 'output-bytes: %s\n' "$(wc -c <"$scratch/out" | tr -d ' ')"
    printf 'output-sha256: %s\n' "$(sha256 <"$scratch/out")"
    [ -z "$keys" ] || grep -a -E -e "$keys" "$scratch/out" | tr -d '\000-\010\013-\037\177' |
        awk '{ s = substr($0, 1, 400); n += length(s) + 1 } NR > 20 || n > 4096 { exit } { print "key: " s }'
} >"$scratch/record" || exit 3
cat "$scratch/record" >>"$record" || exit 3

printf 'record-run: %s %s on tree %s%s -> %s\n' "$name" $result "$before" "${why:+ ($why)}" "$dir/$name.run" >&2
case $result in PASSED) exit 0 ;; FAILED) exit 1 ;; *) exit 3 ;; esac
