#!/bin/sh
# Try a check on its fixtures: it must pass where it should, fail where it should, and for the right reason.
#
#   sh try-fixtures.sh [-x CODE] [-t SECONDS] [-e NAME]... FIXTURES -- CHECK [ARG...]
#
#   -x CODE     the exit code that means "does not hold" (default: 1)
#   -t SECONDS  time allowed for one run (default: 60; needs `timeout`, without it there is no limit)
#   -e NAME     let this environment variable through; PATH is, nothing else (not for secrets: `ps` would show it)
#
#   FIXTURES/pass/NAME/    a work tree that satisfies the check                    at least one
#   FIXTURES/fail/NAME/    one that must not                                       at least one
#   FIXTURES/error/NAME/   one that the check cannot judge                         optional
#   FIXTURES/expect/NAME   a line, an ERE that the output on fail/NAME must match  optional
#
# Each fixture is copied into a fresh git repository with one commit, and CHECK runs at its top, with an empty HOME
# and the C locale. Twice: the second time in another folder, with another time zone. Both runs must agree.
# A word that starts with ./ or ../ in CHECK is taken from where you are; the others are left alone.
#
# Exit: 0 every fixture did what it must, 1 one did not, 2 usage, 3 no scratch space or no git.
set -u
LC_ALL=C; export LC_ALL

usage() { printf 'try-fixtures: %s\n' "$1" >&2; sed -n '4,8s/^# \{0,1\}//p' "$0" >&2; exit 2; }

code=1 limit=60 pass_env=''
while getopts x:t:e: o; do
    case $o in
        x) code=$OPTARG ;;
        t) limit=$OPTARG ;;
        e) case $OPTARG in '' | [0-9]* | *[!A-Za-z0-9_]*) usage "not a variable name: $OPTARG" ;; esac
           pass_env="$pass_env $OPTARG" ;;
        *) usage 'unknown option' ;;
    esac
done
shift $((OPTIND - 1))
case $code in '' | *[!0-9]*) usage '-x takes a number' ;; esac
[ "$code" -ge 1 ] && [ "$code" -le 123 ] || usage '-x takes 1 to 123: 0 is a pass, 124 and up are errors'
case $limit in '' | *[!0-9]*) usage '-t takes a number' ;; esac
[ $# -ge 1 ] || usage 'no fixtures folder'
fixtures=$1; shift
[ "${1-}" = -- ] || usage 'the check follows the fixtures folder after --'
shift
[ $# -gt 0 ] || usage 'no check'
[ -d "$fixtures" ] || usage "no folder $fixtures"
fixtures=$(cd "$fixtures" && pwd -P) || exit 3
command -v git >/dev/null || { printf 'try-fixtures: git is missing\n' >&2; exit 3; }

here=$(pwd -P)
for word; do            # ./check.sh -> /where/you/are/./check.sh
    shift
    case $word in ./* | ../*) word=$here/$word ;; esac
    set -- "$@" "$word"
done
for name in $pass_env; do
    eval "[ -n \"\${$name+set}\" ]" || usage "$name is not set"
    eval "set -- \"$name=\${$name}\" \"\$@\""
done
if command -v timeout >/dev/null; then set -- timeout -k 5 "$limit" env "$@"; else set -- env "$@"; fi

scratch=$(mktemp -d) || exit 3
trap 'rm -rf "$scratch"' EXIT
trap 'exit 3' HUP INT TERM

# run FIXTURE WORKDIR TZ COMMAND... -> exit code in $status, output in $scratch/out, $moved when files were changed
run() {
    from=$1 work=$2 zone=$3; shift 3
    rm -rf "${scratch:?}/home"
    mkdir -p "$work" "$scratch/home" || exit 3
    cp -R -P -p "$from/." "$work/" || exit 3
    (
        cd "$work" || exit 1
        HOME=$scratch/home GIT_CONFIG_NOSYSTEM=1; export HOME GIT_CONFIG_NOSYSTEM
        git -c init.defaultBranch=main init -q && git add -A -f &&
            GIT_AUTHOR_DATE='2000-01-01T00:00:00Z' GIT_COMMITTER_DATE='2000-01-01T00:00:00Z' \
                git -c user.name=fixture -c user.email=fixture@localhost -c commit.gpgSign=false \
                commit -q --allow-empty -m fixture
    ) || { printf 'try-fixtures: cannot make a repository of %s\n' "$from" >&2; exit 3; }
    status=0
    (cd "$work" && env -i PATH="$PATH" HOME="$scratch/home" LC_ALL=C TZ="$zone" CI=true GIT_CONFIG_NOSYSTEM=1 \
        "$@" </dev/null) >"$scratch/out" 2>&1 || status=$?
    moved=$(git -C "$work" diff --name-only HEAD -- 2>/dev/null | head -n 3 | tr '\n' ' ')
}

bad=0 seen_pass=0 seen_fail=0
# judge KIND NAME COMMAND...
judge() {
    kind=$1 fixture=$2; shift 2
    run "$fixtures/$kind/$fixture" "$scratch/a" UTC0 "$@"
    first=$status first_moved=$moved
    mv "$scratch/out" "$scratch/first"
    run "$fixtures/$kind/$fixture" "$scratch/elsewhere/b c" XXX-14 "$@"
    rm -rf "$scratch/a" "$scratch/elsewhere"

    case $kind in pass) want='exit 0' ;; fail) want="exit $code" ;; *) want="neither 0 nor $code" ;; esac
    got=error
    [ "$first" -ne 0 ] || got=pass
    [ "$first" -ne "$code" ] || got=fail
    says=''
    if [ "$first" -ne "$status" ]; then says="two runs disagree: exit $first, then $status"
    elif [ $got != "$kind" ]; then says="exit $first, wanted $want"
    elif [ -n "$first_moved$moved" ]; then says="the check changed what it judges: $first_moved"
    elif [ "$kind" = fail ] && [ -f "$fixtures/expect/$fixture" ] &&
        ! grep -E -q -f "$fixtures/expect/$fixture" "$scratch/first"; then
        says="failed, but the output does not match expect/$fixture"
    fi
    if [ -z "$says" ]; then
        printf 'ok    %s/%s\n' "$kind" "$fixture"
        cmp -s "$scratch/first" "$scratch/out" || printf '      note: same verdict, different output in the second run\n'
    else
        printf 'BAD   %s/%s: %s\n' "$kind" "$fixture" "$says"; bad=1
        tail -n 5 "$scratch/first" | sed 's/^/      | /'
    fi
}

for kind in pass fail error; do
    for d in "$fixtures/$kind"/*/; do
        [ -d "$d" ] || continue
        n=${d%/}; n=${n##*/}
        case $kind in pass) seen_pass=$((seen_pass + 1)) ;; fail) seen_fail=$((seen_fail + 1)) ;; esac
        judge "$kind" "$n" "$@"
    done
done
for e in "$fixtures"/expect/*; do
    [ ! -e "$e" ] || [ -d "$fixtures/fail/${e##*/}" ] || { printf 'BAD   expect/%s: no such failing fixture\n' "${e##*/}"; bad=1; }
done
[ $seen_pass -gt 0 ] || { printf 'BAD   no passing fixture: the check may refuse everything\n'; bad=1; }
[ $seen_fail -gt 0 ] || { printf 'BAD   no failing fixture: the check may accept everything\n'; bad=1; }
exit $bad
