#!/bin/sh
# Show where a change touches its own judge: tests, fixtures, CI, lint and policy files, and the usual ways to
# switch a check off.
#
#   sh judge-diff.sh BASE [HEAD]        BASE is the branch the change goes to, as you fetched it; HEAD defaults to HEAD
#
# Looks at merge-base(BASE, HEAD)..HEAD, commits only. It reads text and runs nothing of the change.
# A finding is a place to read, not a verdict: tests change for good reasons. Silence proves nothing either: these
# are patterns, and a check can be weakened without any of them.
#
# Exit: 0 nothing found, 1 something to read, 2 usage.
set -u
LC_ALL=C; export LC_ALL

[ $# -eq 1 ] || [ $# -eq 2 ] || { sed -n '5s/^# *//p' "$0" >&2; exit 2; }
base=$(git rev-parse -q --verify "$1^{commit}") || { printf 'judge-diff: no commit %s\n' "$1" >&2; exit 2; }
head=$(git rev-parse -q --verify "${2-HEAD}^{commit}") || { printf 'judge-diff: no commit %s\n' "${2-HEAD}" >&2; exit 2; }
fork=$(git merge-base "$base" "$head") || { printf 'judge-diff: no common ancestor\n' >&2; exit 2; }
printf 'from %s\nto   %s\n' "$fork" "$head"

# --no-textconv and --no-ext-diff: nothing that a configuration names may run; -c core.quotePath: no raw bytes of names.
changed() { git -c core.quotePath=true --no-pager diff --no-ext-diff --no-textconv --no-color --no-renames "$@" "$fork" "$head" --; }
printable() { tr -d '\000-\010\013-\037\177'; }

found=0
section() { # TITLE TEXT
    [ -n "$2" ] || return 0
    found=1
    printf '\n%s\n' "$1"
    printf '%s\n' "$2" | printable | sed 's/^/  /'
}

paths='(^|/)(tests?|specs?|__tests__|testdata|fixtures|golden|snapshots|__snapshots__|e2e|evals?)/'
paths="$paths"'|(_test|_spec|\.test|\.spec)\.[a-z]+$|(^|/)(test_[^/]*|conftest)\.py$|\.(snap|bats|rego|feature)$'
paths="$paths"'|(^|/)\.(github|gitlab|circleci|buildkite|husky|ci|semgrep|skill)/|(^|/)\.gitlab-ci\.ya?ml$'
paths="$paths"'|(^|/)(Jenkinsfile|Makefile|GNUmakefile|[Jj]ustfile|Taskfile\.ya?ml|CODEOWNERS|skills\.(toml|lock))$'
paths="$paths"'|(^|/)(package\.json|pyproject\.toml|setup\.cfg|tox\.ini|noxfile\.py|pytest\.ini|\.coveragerc|codecov\.ya?ml)$'
paths="$paths"'|(^|/)((jest|vitest|playwright|cypress|eslint|karma)\.config\.[a-z]+|\.eslintrc[^/]*|\.eslintignore)$'
paths="$paths"'|(^|/)(clippy\.toml|deny\.toml|\.golangci[^/]*|\.tflint\.hcl|\.?checkov[^/]*|\.trivyignore|\.gitleaks[^/]*)$'
paths="$paths"'|(^|/)(\.pre-commit-config\.ya?ml|lefthook\.ya?ml|\.gitattributes|\.gitignore|\.gitmodules)$'
# Patterns reach awk by the environment: -v would eat their backslashes.
section 'Files that judge (read each one whole):' "$(changed --name-status |
    P=$paths awk -F'\t' '{ n = $2; gsub(/^"|"$/, "", n) } n ~ ENVIRON["P"]')"

# Added lines, with file and line number. One alternative a line, so that a reviewer can add one.
off='\|\| *(true|:)( |$|")
continue-on-error|allow_failure|fail-fast: *false|if: *(false|always\(\))
--no-verify|--passWithNoTests|--exit-zero|--soft-fail
(^|[^a-z_])set \+e|^[[:space:]]*exit 0
pytest\.mark\.(skip|xfail)|pytest\.skip|unittest\.skip|@skip
(it|test|describe|context|suite)\.(skip|only|todo|fixme)|(^|[[:space:]])(xit|xdescribe|fit|fdescribe)\(
#\[ignore|#!?\[allow\(|t\.Skip(Now|f)?\(|@(Disabled|Ignore)
noqa|type: *ignore|eslint-disable|@ts-(ignore|nocheck)|nolint|nosec|NOLINT|shellcheck disable
pragma: *no cover|fail_under|coverageThreshold|tfsec:ignore|checkov:skip|trivy:ignore|gitleaks:allow
assert(True|!)?\((true|True|1)\)|assertEquals?\((true|True|1), *(true|True|1)\)|expect\((true|1)\)|assert (True|1)$'
off=$(printf '%s' "$off" | tr '\n' '|')
added() { # ERE
    changed -U0 | P=$1 awk '
        BEGIN { p = ENVIRON["P"] }
        /^diff --git / { body = 0; next }
        !body && /^\+\+\+ / { f = $0; sub(/^\+\+\+ "?b\//, "", f); sub(/"?$/, "", f); next }
        /^@@ / { body = 1; n = $0; sub(/^.* \+/, "", n); sub(/[ ,].*/, "", n); line = n + 0; next }
        body && /^\+/ { s = substr($0, 2); if (s ~ p) print f ":" line ": " substr(s, 1, 160); line++ }'
}
section 'Added lines that switch a check off, or look like it:' "$(added "$off")"
section 'Added lines with invisible or direction-changing characters:' \
    "$(added "$(printf '\342\200[\213-\217\252-\256]|\342\201[\240-\251]')")"
section 'Fewer assertions than before:' "$(changed -U0 | awk '
    /^diff --git / { body = 0; next }
    !body && /^--- / { f = $0; sub(/^--- "?(a\/)?/, "", f); sub(/"?$/, "", f); next }
    /^@@ / { body = 1; next }
    body && /assert|expect[(]|require[.]|should[.(]|t[.](Error|Fatal)/ { if (/^-/) gone[f]++; else if (/^[+]/) come[f]++ }
    END { for (f in gone) if (gone[f] > come[f] + 0) print f ": " gone[f] " assertions removed, " come[f] + 0 " added" }' |
    sort)"
section 'Modes: new or changed exec bits, symbolic links (120000), submodules (160000):' \
    "$(changed --summary | grep -E '^ (mode change|create mode (100755|120000|160000))')"
section 'Binary files (a diff shows nothing: rebuild and compare):' "$(changed --numstat | awk -F'\t' '$1 == "-" { print $3 }')"
exit $found
