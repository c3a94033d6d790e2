#!/usr/bin/env python3
"""The bench: bench.py -b BUILD [-q] [-m MB] [-r ROUNDS] [-d DOCUMENT]
[ROW ...]

Runs the rows, or those that are named, prints what each gave as soon as it
is there, and how many goals were reached.  -q: smaller databases, fewer
rounds, and of the rows those that matter most.  -m: databases of that size.
-d: the document that the table goes to, between its marks.  The status is 1
when a row could not be run for another reason than a peer that is missing; a
goal that is missed is no error.
"""
import argparse
import sys
import time
import traceback

import report
import rows_create
import rows_front
import rows_idle
import rows_lock
import rows_restore
import rows_writer
from lab import Lab, Missing
from pair import Row, text_table

# Name, function, whether it is of the quick ones.
ROWS = [
    ('create', rows_create.create, True),
    ('capture', rows_create.capture, True),
    ('zstd', rows_create.zstd, True),
    ('others', rows_create.others, False),
    ('lock', rows_lock.lock, True),
    ('writer', rows_writer.writer, False),
    ('ends', rows_writer.ends, False),
    ('unchanged', rows_idle.unchanged, False),
    ('restore', rows_restore.restore, True),
    ('download', rows_front.download, True),
    ('gets', rows_front.gets, True),
    ('memory', rows_idle.memory, True),
    ('idle', rows_idle.idle, False),
    ('cache', rows_idle.cache, False),
]


def arguments():
    p = argparse.ArgumentParser(description='Times cloudbackupd and what '
                                'one would use instead.')
    p.add_argument('-b', dest='build', required=True)
    p.add_argument('-q', dest='quick', action='store_true')
    p.add_argument('-m', dest='size_mb', type=int)
    p.add_argument('-r', dest='rounds', type=int)
    p.add_argument('-d', dest='document')
    p.add_argument('names', nargs='*', metavar='ROW',
                   help=', '.join(name for name, _, _ in ROWS))
    a = p.parse_args()
    unknown = set(a.names) - {name for name, _, _ in ROWS}
    if unknown:
        p.error('no such rows: ' + ', '.join(sorted(unknown)))
    return a


def not_run(name, why):
    row = Row(name, '')
    row.missing = why
    return [row]


def run_one(name, function, lab):
    """Its rows, and whether it could be run."""
    try:
        return function(lab), True
    except Missing as e:
        return not_run(name, str(e)), True
    except RuntimeError as e:           # of ours: the text is enough
        print('%s: %s' % (name, e), file=sys.stderr)
    except Exception:
        traceback.print_exc()
    return not_run(name, 'could not be run'), False


def run_rows(lab, names):
    """All rows, and how many could not be run."""
    rows, failed = [], 0
    for name, function, quick in ROWS:
        if names and name not in names or \
                not names and lab.quick and not quick:
            continue
        begin = time.monotonic()
        some, ok = run_one(name, function, lab)
        failed += not ok
        print('%s, %.0f s' % (name, time.monotonic() - begin))
        print(text_table(some) + '\n', flush=True)
        rows += some
    return rows, failed


def main():
    a = arguments()
    lab = Lab(a.build, a.quick, a.rounds, a.size_mb)
    begin = time.monotonic()
    try:
        if lab.size_mb >= 100:
            lab.hot_memory()
        rows, failed = run_rows(lab, a.names)
    finally:
        lab.close()
    print('\n'.join(report.notes(rows)))
    print('%d of %d goals reached, in %.0f s' % (
        sum(row.verdict() == 'yes' for row in rows),
        sum(bool(row.sense) for row in rows), time.monotonic() - begin))
    if a.document:
        report.write(a.document, rows, a.rounds)
    return 1 if failed else 0


if __name__ == '__main__':
    sys.exit(main())
