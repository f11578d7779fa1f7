#!/bin/sh
# Compare run records (made by record-run.sh of the skill-orchestrate skill) with the tree that is here now.
#
#   sh recheck.sh [-d DIR] [NAME...]
#
#   -d DIR   where the records are, relative to the top of the repository (default: .evidence)
#   NAME     runs that must be there; without, every record found is judged
#
# For each run: the verdict of its last record, whether that record is about this very tree, and how often the
# run failed before it passed. A record is unsigned text that its author could have typed. So this script says only
# which records are worth running again; and it runs nothing itself, because a command taken from the change
# under review would run with the reviewer's credentials.
#
#   CURRENT  the record names the tree that is here     STALE  it names another one: the changed paths follow
#
# Exit: 0 all PASSED and CURRENT, 1 a run did not pass or a record is malformed, 2 usage,
#       3 no record, or a named one is missing, 5 all PASSED, at least one only STALE.
set -u
LC_ALL=C; export LC_ALL

usage() { printf 'recheck: %s\n' "$1" >&2; sed -n '4,7s/^# \{0,1\}//p' "$0" >&2; exit 2; }

dir=.evidence
while getopts d: o; do
    case $o in d) dir=$OPTARG ;; *) usage 'unknown option' ;; esac
done
shift $((OPTIND - 1))
case /$dir/ in *[!A-Za-z0-9._/-]* | *//* | */../* | */./* | /.git/*) usage '-d takes a plain path inside the repository' ;; esac
for n; do case $n in '' | *[!a-z0-9-]*) usage "not a run name: $n" ;; esac; done

top=$(git rev-parse --show-toplevel 2>/dev/null) || usage 'not inside a git work tree'
cd "$top" || exit 3
scratch=$(mktemp -d) || exit 3
trap 'rm -rf "$scratch"' EXIT
trap 'exit 3' HUP INT TERM

# The same tree that record-run.sh computes. DIR comes from the reviewer, never from a record: a record that
# excludes src/ would stay CURRENT whatever happens in src/.
tree_of_work() {
    (
        GIT_INDEX_FILE=$scratch/index; export GIT_INDEX_FILE
        if git rev-parse -q --verify HEAD >/dev/null; then git read-tree HEAD || exit 1; fi
        git -c advice.addEmbeddedRepo=false add -A -- . ":(exclude)$dir" || exit 1
        git rm -r -q -f --cached --ignore-unmatch -- "$dir" >/dev/null || exit 1
        git write-tree
    )
}
[ ! -L "$dir" ] || usage "$dir is a symbolic link"
here=$(tree_of_work) || { printf 'recheck: cannot compute the tree\n' >&2; exit 3; }

if [ $# -eq 0 ]; then
    for f in "$dir"/*.run; do
        [ -e "$f" ] || [ -L "$f" ] || continue
        f=${f##*/}; f=${f%.run}
        case $f in '' | *[!a-z0-9-]*) usage "a record in $dir has a name that record-run.sh never writes" ;; esac
        set -- "$@" "$f"
    done
fi
[ $# -gt 0 ] || { printf 'recheck: no record in %s\n' "$dir" >&2; exit 3; }

bad=0 missing=0 stale=0
printf 'tree here: %s\n' "$here"
for name; do
    f=$dir/$name.run
    if [ ! -f "$f" ] || [ -L "$f" ]; then
        printf '%-20s MISSING\n' "$name"; missing=1; continue
    fi
    # The last paragraph is the last run; earlier ones only count failures. Each field once, or it is malformed.
    fields=$(awk -v want="$name" '
        BEGIN { RS = ""; FS = "\n" }
        { split("", v); split("", n)
          for (i = 1; i <= NF; i++) { k = $i; sub(/: .*/, "", k); x = $i; sub(/^[^:]*: /, "", x); v[k] = x; n[k]++ }
          if (v["result"] != "PASSED") lost++ }
        END {
          if (n["run"] != 1 || n["result"] != 1 || n["exit"] != 1 || n["tree"] != 1 || n["excludes"] != 1) exit 1
          if (v["run"] != want || v["result"] !~ /^(PASSED|FAILED|ERROR)$/ || v["exit"] !~ /^[0-9]+$/) exit 1
          if (v["excludes"] !~ /^[A-Za-z0-9._\/-]+$/ || v["started"] !~ /^[0-9TZ:-]+$/) exit 1
          if (v["tree"] !~ /^[0-9a-f]+$/ || (v["result"] == "PASSED" && v["exit"] != "0")) exit 1
          print v["result"], v["tree"], v["excludes"], NR, lost + 0, v["started"] }' "$f") || {
        printf '%-20s MALFORMED  %s\n' "$name" "$f"; bad=1; continue
    }
    IFS=' ' read -r result tree excludes runs lost started <<EOF
$fields
EOF
    if [ "$excludes" != "$dir" ]; then
        printf '%-20s MALFORMED  leaves out "%s", expected "%s"\n' "$name" "$excludes" "$dir"; bad=1; continue
    fi
    state=CURRENT
    [ "$tree" = "$here" ] || state=STALE
    printf '%-20s %-6s %-7s  runs %s, not passed %s, last %s\n' "$name" "$result" $state "$runs" "$lost" "$started"
    [ "$result" = PASSED ] || bad=1
    if [ $state = STALE ]; then
        stale=1
        if git cat-file -e "$tree^{tree}" 2>/dev/null; then
            git --no-pager diff --no-ext-diff --name-status "$tree" "$here" -- | head -n 20 | sed 's/^/    /'
        else
            printf '    tree %s is not in this clone: what changed since cannot be told\n' "$tree"
        fi
    fi
done
[ $bad -eq 0 ] || exit 1
[ $missing -eq 0 ] || exit 3
[ $stale -eq 0 ] || exit 5
