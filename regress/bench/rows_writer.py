"""Rows: what an application notices while its database is captured.  Only
latencies of commits that overlap the window of the capture count, against
those of a window of the same length without a backup, or with a bare reader.
"""
import array
import os
import re
import statistics
import subprocess
import time

from daemon import Daemon
from pair import Row, amount, percentile
from peers import Peers


class Load:
    """load beside something; end() gives pairs of start and duration, s."""

    def __init__(self, lab, path, verb, *words):
        self.lab = lab
        self.out = os.path.join(lab.work, 'times.%s' % verb)
        self.child = lab.spawn([lab.tool('load'), '-o', self.out] +
                               list(words) + [path, verb])

    def end(self):
        self.lab.end(self.child)
        if self.child.returncode != 0:
            raise RuntimeError('the application met an error')
        numbers = array.array('q')
        with open(self.out, 'rb') as f:
            numbers.frombytes(f.read())
        os.unlink(self.out)
        return [(numbers[i] / 1e9, numbers[i + 1] / 1e9)
                for i in range(0, len(numbers), 2)]


def during(times, windows):
    """Durations of what overlaps one of the windows."""
    found = []
    for begin, end in windows:
        found += [took for start, took in times
                  if start < end and start + took > begin]
    if not found:
        raise RuntimeError('nothing was committed in the window')
    return found


def settle(seconds=0.3):
    os.sync()
    time.sleep(seconds)


PACE = 50                               # commits a second
# A p99 of fewer is only another name for the worst of them.
ENOUGH = 500


def paced_round(lab, daemon, source, sync, others):
    """Commits beside us and beside each other: one writer, windows in turn,
    as many as it takes."""
    writer = Load(lab, source, 'write', '-r', str(PACE), '-s', sync)
    time.sleep(0.5)
    windows = [[] for _ in range(1 + len(others))]
    while min(sum(end - begin for begin, end in w)
              for w in windows) * PACE < (100 if lab.quick else ENOUGH):
        settle()
        run = daemon.create('shop')
        windows[0].append((run.begin, run.end))
        daemon.forget(run)
        for i, other in enumerate(others, 1):
            settle()
            windows[i].append(other(lab, source, run.wall))
    times = writer.end()
    return [during(times, w) for w in windows]


def limit_note(times):
    """times: of each round, beside a copy that is as gentle as can be."""
    return 'beside `nice -n 19 cp` + fsync, which does less: p99 %s, ' \
        'worst %s' % tuple(
            amount(statistics.median(f(t) for t in times), 's')
            for f in (lambda t: percentile(t, 0.99), max))


def paced(lab, sync, against, other, p99_goal=None, worst_goal=None):
    """other runs beside the writer for its window; it gets our time.  Where
    there is a goal, a gentle copy shows what the machine allows."""
    size_mb = lab.size_mb
    source = lab.scratch(size_mb)
    p99 = Row('p99 of commits while we capture, WAL, %d MB, %d tx/s, '
              'synchronous=%s' % (size_mb, PACE, sync), against,
              '<=' if p99_goal else '', p99_goal)
    worst = Row('the worst commit: how much longer', 'the same',
                '<=' if worst_goal else '', worst_goal, 's')
    others = [other, gentle_copy] if p99_goal else [other]
    gentle = []
    try:
        with Daemon(lab, [('shop', source, 'verify none')]) as daemon:
            daemon.forget(daemon.create('shop'))
            for _ in range(lab.rounds(3, 1)):
                a, b, *c = paced_round(lab, daemon, source, sync, others)
                gentle += c
                p99.add(percentile(a, 0.99) / percentile(b, 0.99),
                        percentile(a, 0.99), percentile(b, 0.99))
                worst.add(max(a) - max(b), max(a), max(b))
                p99.note = 'of %d commits in each round, or more' % \
                    min(len(a), len(b))
    finally:
        lab.remove(source)
    if gentle:
        p99.note += '; ' + limit_note(gentle)
    return [p99, worst]


def nothing(lab, source, seconds):
    begin = time.monotonic()
    time.sleep(seconds)
    return (begin, begin + seconds)


def plain_copy(lab, source, seconds, copy=Peers.copy_fsync):
    """What the disk does to a writer, whoever writes that much to it."""
    peers = Peers(lab)
    peers.fresh()
    run = copy(peers, source)
    peers.fresh()
    return (run.begin, run.end)


def gentle_copy(lab, source, seconds):
    return plain_copy(lab, source, seconds, Peers.copy_gently)


def hold(lab, source, seconds):
    """A bare reader; when it began."""
    run = lab.timed([lab.tool('load'), '-m', str(max(1, round(seconds * 1e3))),
                     source, 'hold'])
    return int(run.out.split()[0]) / 1e9


def closed(lab, sync, goal):
    size_mb = min(100, lab.size_mb)
    source = lab.scratch(size_mb)
    what = 'WAL, %d MB, closed loop, synchronous=%s' % (size_mb, sync)
    p99 = Row('p99 of commits while we capture, ' + what,
              'a bare reader for as long', '<=' if goal else '', goal)
    worst = Row('the worst commit', 'the same', '<=' if goal else '', goal)
    gentle = []
    try:
        with Daemon(lab, [('shop', source, 'verify none')]) as daemon:
            daemon.forget(daemon.create('shop'))
            for _ in range(lab.rounds(7, 3)):
                times, windows = [], []
                for who in ('ours', 'reader', 'copy')[:3 if goal else 2]:
                    subprocess.run(
                        ['sqlite3', source, 'DELETE FROM ticks',
                         'PRAGMA wal_checkpoint(TRUNCATE)'],
                        check=True, stdout=subprocess.DEVNULL)
                    settle()
                    writer = Load(lab, source, 'write', '-s', sync)
                    time.sleep(0.5)
                    if who == 'ours':
                        run = daemon.create('shop')
                        held = daemon.lock_held('shop')
                        windows.append((run.begin, run.end))
                        daemon.forget(run)
                    elif who == 'copy':
                        windows.append(gentle_copy(lab, source, held))
                    else:
                        begin = hold(lab, source, held)
                        windows.append((begin, begin + run.wall))
                        time.sleep(max(0, begin + run.wall -
                                       time.monotonic()))
                    times.append(writer.end())
                a, b, *c = (during(t, [w]) for t, w in zip(times, windows))
                gentle += c
                p99.add(percentile(a, 0.99) / percentile(b, 0.99),
                        percentile(a, 0.99), percentile(b, 0.99))
                worst.add(max(a) / max(b), max(a), max(b))
    finally:
        lab.remove(source)
    if gentle:
        worst.note = limit_note(gentle)
    return [p99, worst]


def writer(lab):
    rows = paced(lab, 'normal', 'no backup', nothing, 1.1, 0.010) + \
        closed(lab, 'normal', 1.2)
    # Where each commit waits for the disk, it waits for our writes, too.
    if not lab.quick:
        rows += paced(lab, 'full', 'beside cp + fsync', plain_copy)
        rows += closed(lab, 'full', None)
    return rows


def stepped_ends(lab, source, seconds):
    """Does .backup end beside the writer?  The shell ignores SIGINT."""
    target = lab.work + '/stepped.db'
    child = subprocess.Popen(['sqlite3', source, ".backup '%s'" % target],
                             stderr=subprocess.DEVNULL)
    try:
        return child.wait(timeout=seconds) == 0
    except subprocess.TimeoutExpired:
        child.kill()
        child.wait()
        return False
    finally:
        lab.remove(target)


def one_ends(lab, mode):
    size_mb, seconds = min(100, lab.size_mb), 5
    source = lab.scratch(size_mb, mode)
    row = Row('captures that end beside 1,000 tx/s, first try, %s' % mode,
              '.backup, which gets %d s' % seconds, '>=', 100, '%', '%')
    try:
        with Daemon(lab, [('shop', source, 'verify none')]) as daemon:
            writer = Load(lab, source, 'write', '-r', '1000', '-s', 'normal')
            time.sleep(0.5)
            for _ in range(lab.rounds(5, 3)):
                try:
                    daemon.forget(daemon.create('shop'))
                    done = 100
                except RuntimeError as e:
                    done, row.note = 0, re.sub(r'\s+', ' ', str(e))[:200]
                peer = stepped_ends(lab, source, seconds)
                row.add(done, done, 100 if peer else 0)
            writer.end()
    finally:
        lab.remove(source)
    return row


def ends(lab):
    return [one_ends(lab, mode) for mode in ('wal', 'delete')]
