#!/bin/bash
# lint.sh [quick]: what reads the programs without running them: cppcheck,
# clang-tidy (.clang-tidy says which checks), gcc -fanalyzer.  Prints what
# they find; 0 when that is nothing.  quick: cppcheck, and the files that
# differ from the last commit.
cd "$(dirname "$0")/.." || exit 1
export LC_ALL=C
JOBS=${JOBS:-$(nproc)}
# Other systems' files need their headers.
files=$(ls common/*.c proto/*.c daemon/*/*.c ctl/*.c |
    grep -vE '_(openbsd|freebsd)\.c$')
[ "${1:-}" = quick ] &&
    some=$(git status --porcelain 2>/dev/null | awk '{ print $2 }' |
	grep -xF "$files")
# With what only the walls' test is built with.
export FLAGS="-I. -D_GNU_SOURCE -D_FILE_OFFSET_BITS=64 -DTRY_WALLS
    -DVERSION=\"lint\" -DLIBEXECDIR=\"/nonexistent\" -std=c11"
failed=0

# The macros of queue.h are too much for it without their header; it takes
# a parameter that is a function's type for one without a name.
if command -v cppcheck >/dev/null; then
	cppcheck -q --std=c11 --enable=warning,portability,performance \
	    --error-exitcode=1 --inline-suppr -j"$JOBS" -I. -D_GNU_SOURCE \
	    -D__linux__ -D__x86_64__ -D__STDC__=1 -D__GNUC__=12 \
	    -DVERSION='"lint"' -DLIBEXECDIR='"/nonexistent"' \
	    --include=/usr/include/bsd/sys/queue.h \
	    --suppress=missingIncludeSystem --suppress=funcArgOrderDifferent \
	    --suppress='*:/usr/include/*' $files || failed=1
else
	echo "no cppcheck"
fi
[ "${1:-}" = quick ] && files=$some
if [ -n "$files" ] && command -v clang-tidy >/dev/null; then
	printf '%s\n' $files | xargs -P "$JOBS" -n 4 sh -c \
	    'out=$(clang-tidy --quiet "$@" -- $FLAGS 2>&1) ||
	    { printf "%s\n" "$out" | grep -v "warnings generated"; exit 1; }' tidy |
	    cat
	[ "${PIPESTATUS[1]}" = 0 ] || failed=1
fi
# Its list macros are beyond the analyzer: link.c walks one anew after each
# change, and it thinks that the walk goes on.
[ -z "$files" ] || printf '%s\n' $files | grep -vx daemon/front/link.c |
    xargs -P "$JOBS" -n 1 gcc $FLAGS -O1 -Werror -fanalyzer -c \
    -o /dev/null || failed=1
[ "${1:-}" = quick ] || regress/openapi/lint.sh || failed=1
exit $failed
