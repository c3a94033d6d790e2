"""Rows: a restore into a live database in WAL mode, with readers, against
sqlite3's .restore of the same file."""
import glob
import os
import statistics
import subprocess
import time

from daemon import Daemon
from pair import Row, in_turn
from peers import Peers
from rows_writer import Load, during


def restore(lab):
    size_mb = lab.size_mb
    live = lab.scratch(size_mb)
    peers = Peers(lab)
    transaction = Row('restore %d MB into a live WAL database: the '
                      'transaction' % size_mb, 'sqlite3 .restore', '<=', 1.0)
    whole = Row('all of it: hash, check, safety backup, transaction',
                'the same', '<=', 1.6)
    reads = Row('the slowest read meanwhile, of 200 a second',
                'during .restore', unit='s')
    busy, checks = [], []               # of ours, as ratios
    # They have it open from the first to the last.
    reader = None
    windows = ([], [])
    try:
        with Daemon(lab, [('shop', live, 'verify quick')]) as daemon:
            kept = daemon.create('shop')
            image = kept.data['file_path']
            reader = Load(lab, live, 'read', '-r', '200')

            def between():
                """Other content, an empty -wal, no older safety backup."""
                for name in glob.glob(os.path.dirname(image) + '/*.sqlite'):
                    if name != image:
                        os.unlink(name)
                subprocess.run(
                    ['sqlite3', live, '.timeout 60000',
                     'UPDATE articles SET stock = stock + 1',
                     'PRAGMA wal_checkpoint(TRUNCATE)'],
                    check=True, stdout=subprocess.DEVNULL)
                lab.calm(live, image)

            def ours():
                between()
                run = daemon.timed_post('/restore/%d' % kept.id,
                                        {'force': False})
                if run.data['method'] != 'live':
                    raise RuntimeError('not restored live: %s' % run.out)
                run.held = run.data['lock_held_ms'] / 1e3
                job = max(daemon.get('/jobs')['data'],
                          key=lambda job: job['id'])
                run.checks = job['phases']['verify_ms'] / 1e3
                windows[0].append((run.begin, run.end))
                return run

            def other():
                between()
                run = peers.restore(image, live)
                windows[1].append((run.begin, run.end))
                return run

            for a, b in in_turn(lab.rounds(5, 2), ours, other):
                transaction.add(a.held / b.wall, a.held, b.wall)
                whole.add(a.wall / b.wall, a.wall, b.wall)
                busy.append(a.cpu / os.cpu_count() / b.wall)
                checks.append(a.checks / b.wall)
            whole.note = 'the checks of the image (two threads) and of the ' \
                'safety backup, one after the other, take %.2f x; ' \
                'its CPU, spread over %d cores, %.2f x' % (
                    statistics.median(checks), os.cpu_count(),
                    statistics.median(busy))
            time.sleep(0.1)
            times = reader.end()
            slowest = [max(during(times, w)) for w in windows]
            reads.add(slowest[0], *slowest)
            reads.note = 'each was answered: a failed one ends the bench\'s ' \
                'reader, and the row'
    finally:
        if reader and reader.child.poll() is None:
            lab.end(reader.child)
        lab.remove(live)
    return [transaction, whole, reads]
