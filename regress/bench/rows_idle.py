"""Rows: what it costs to have it: memory, threads and CPU, at rest and in a
job, against Litestream; a schedule that is due when nothing has changed; the
page cache of others after a backup."""
import os
import re
import signal
import sqlite3
import statistics
import subprocess
import threading
import time

from daemon import (Daemon, Limit, memory_note, pss_kib, switches, threads,
                    ticks_cpu)
from lab import Missing
from pair import Row, in_turn
from peers import CHECK, COPY, Litestream

HEADER_BYTES = 100


class Peak:
    """The most memory that processes had, looked at every 20 ms."""

    def __init__(self, pids):
        self.pids, self.kib = pids, 0
        self.stop = threading.Event()
        self.thread = threading.Thread(target=self.watch)
        self.thread.start()

    def watch(self):
        while not self.stop.wait(0.02):
            self.kib = max(self.kib, pss_kib(self.pids()))

    def end(self):
        self.stop.set()
        self.thread.join()
        return self.kib / 1024


def memory(lab):
    size_mb = lab.size_mb
    source = lab.scratch(size_mb)
    at_rest = Row('memory of all processes at rest (PSS)', 'Litestream', '<=',
                  14, 'MiB', 'MiB')
    in_job = Row('the most during a create of %d MB, verify quick, uploaded'
                 % size_mb, 'its first snapshot', '<=', 28, 'MiB', 'MiB')
    try:
        rest, most = [], []
        with Daemon(lab, [('shop', source, 'verify quick')],
                    remote=lab.sink()) as daemon:
            at_rest.note = memory_note(daemon.pids())
            for _ in range(lab.rounds(3, 2)):
                time.sleep(0.3)
                rest.append(pss_kib(daemon.pids()) / 1024)
                peak = Peak(daemon.pids)
                try:
                    daemon.forget(daemon.create('shop', True))
                finally:
                    most.append(peak.end())
        peer_rest = peer_most = None
        try:
            peer = Litestream(lab, [source])
            try:
                peak = Peak(peer.pids)
                try:
                    peer.wait()
                finally:
                    peer_most = peak.end()
                time.sleep(1)
                peer_rest = pss_kib(peer.pids()) / 1024
            finally:
                peer.close()
        except Exception as e:
            at_rest.note += str(e)
        for a, b in zip(rest, most):
            at_rest.add(a, a, peer_rest)
            in_job.add(b, b, peer_most)
    finally:
        lab.remove(source)
    return [at_rest, in_job]


class Rest:
    """What processes use in some seconds in which nobody asks anything."""

    def __init__(self, pids, seconds):
        found = pids()
        cpu, woken = ticks_cpu(found[0]), switches(found)
        time.sleep(seconds)
        self.cpu = 100 * (ticks_cpu(found[0]) - cpu) / seconds
        self.woken = (switches(found) - woken) / seconds
        self.threads = threads(found)
        self.mib = pss_kib(found) / 1024


def idle(lab):
    count, seconds = 100, 3 if lab.quick else 15
    folder = os.path.join(lab.work, 'idle')
    os.mkdir(folder)
    paths = []
    for n in range(count):
        paths.append('%s/%03d.db' % (folder, n))
        lab.copy(lab.database(1), paths[-1])
    against = 'Litestream'
    with Daemon(lab, [('all', folder + '/*.db', 'at 03:30')]) as daemon:
        # What has never been backed up is due at once.
        daemon.wait_backups(count)
        time.sleep(3)
        ours = Rest(daemon.pids, seconds)
        processes_now = len(daemon.pids())
        note = memory_note(daemon.pids())
    other = None
    if not lab.quick:
        try:
            peer = Litestream(lab, paths)
            try:
                peer.wait()
                time.sleep(2)
                other = Rest(peer.pids, seconds)
            finally:
                peer.close()
        except Exception as e:
            note += str(e)
    rows = [
        Row('%d idle databases: memory (PSS)' % count, against, '<=', 16,
            'MiB', 'MiB', note),
        Row('their threads beyond one for each process', against, '<=', 0, '',
            ''),
        Row('their wake-ups a second', against, '<=', 0, '', ''),
        Row('their CPU, %% of a core, in %d s' % seconds, against, '<=', 0,
            '%', '%'),
    ]
    for row, a, b in zip(rows, (ours.mib, ours.threads - processes_now,
                                ours.woken, ours.cpu),
                         (other.mib, other.threads - 1, other.woken,
                          other.cpu) if other else (None,) * 4):
        row.add(a, a, b)
    return rows


def unchanged(lab):
    """A schedule that is due each second, of what nobody writes."""
    size_mb = lab.size_mb
    source = lab.scratch(size_mb)
    cpu = Row('nothing has changed: CPU of a due schedule, %d MB' % size_mb,
              'to read the file', '<=', 0.001, 's')
    reads = Row('what it reads of the file', '', '<=', HEADER_BYTES, 'bytes',
                'bytes', 'the header of the file, and no page')
    time.sleep(2.5)                     # older than "too recent to tell"
    try:
        with Daemon(lab, [('shop', source, 'verify none', 'every 1s',
                           'jitter 0s')]) as daemon:
            due = Due(daemon)
            due.wait_unchanged(20)
            late = []
            for _ in range(lab.rounds(3, 1)):
                lab.calm(source)
                file = lab.timed(['dd', 'if=' + source, 'of=/dev/null',
                                  'bs=1M', 'status=none'])
                # From just after one to just after another, so that as
                # many are in the time as it is divided by.
                begin = due.next()
                before = daemon.cpu()
                for _ in range(5):
                    end = due.next()
                    late.append(due.late())
                used = (daemon.cpu() - before) / (end - begin)
                cpu.add(used, used, file.wall)
            cpu.note = 'from due to noted in the catalog: %d ms; the first ' \
                'look for three minutes begins a process: %.1f ms' % (
                    statistics.median(late), 1000 * statistics.median(
                        due.first() for _ in range(lab.rounds(5, 3))))
            try:
                read = due.reads(lab, source)
                reads.add(read, read)
            except Missing as e:
                reads.missing = str(e)
    finally:
        lab.remove(source)
    return [cpu, reads]


class Due:
    """The schedule of a daemon's only database, as its catalog has it."""

    def __init__(self, daemon):
        self.daemon = daemon

    def row(self):
        db = sqlite3.connect('file:%s/catalog.sqlite?mode=ro' %
                             self.daemon.backups, uri=True, timeout=10)
        try:
            return db.execute('SELECT slot_ms, ran_ms, result FROM databases'
                              ).fetchone() or (0, 0, '')
        finally:
            db.close()

    def slots(self):
        return self.row()[0] // 1000

    def late(self):
        slot, ran, _ = self.row()
        return ran - slot

    def next(self):
        """Waits for the next one to be noted; its number."""
        slots = self.slots()
        while self.slots() == slots:
            time.sleep(0.02)
        time.sleep(0.1)                 # what goes on behind that
        return self.slots()

    def first(self):
        """CPU of one for which nobody is there that looks."""
        self.next()
        os.kill(self.daemon.child_pid('looker'), signal.SIGKILL)
        time.sleep(0.2)
        before = self.daemon.cpu()
        self.next()
        return self.daemon.cpu() - before

    def wait_unchanged(self, seconds):
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            if self.row()[2] == 'unchanged':
                return
            time.sleep(0.2)
        raise RuntimeError('the schedule said %r' % (self.row(),))

    def reads(self, lab, source):
        """Bytes that are read of the database, or mapped, when it is due."""
        out = os.path.join(lab.work, 'strace')
        begin = self.next()
        tracer = lab.spawn([lab.need('strace'), '-f', '-q', '-yy', '-o', out,
                            '-e', 'trace=openat,read,pread64,readv,preadv,'
                            'mmap'] +
                           ['-p%d' % pid for pid in self.daemon.pids()],
                           stderr=subprocess.DEVNULL)
        for _ in range(3):
            end = self.next()
        lab.end(tracer, signal.SIGINT)
        with open(out) as f:
            lines = f.readlines()
        times = end - begin
        if not any('openat' in line and source in line for line in lines):
            raise RuntimeError('strace saw nobody look')
        total = 0
        for line in lines:
            if '<' + source in line and 'openat' not in line:
                mapped = re.search(r'mmap\([^,]*, (\d+)', line)
                got = re.search(r' = (\d+)$', line)
                total += int((mapped or got).group(1))
        return total / times


def resident(path):
    """Bytes of a file in the page cache."""
    out = subprocess.run(['fincore', '-b', '-n', '-o', 'RES', path],
                         capture_output=True, text=True, check=True).stdout
    return int(out.split()[0])


def cache(lab):
    """What a backup leaves of itself, and of the database, in the cache."""
    lab.need('fincore')
    size_mb = lab.size_mb
    source = lab.scratch(size_mb)
    size = os.path.getsize(source)
    live = Row('the database\'s pages that a backup leaves in the cache, of '
               'those there', '', '>=', 99, '%', '%')
    own = Row('the backup\'s own pages in the cache afterwards',
              'what cp leaves', '', None, '%', '%')
    try:
        with Daemon(lab, [('shop', source, 'verify quick')]) as daemon:
            def ours():
                lab.calm(source)
                before = resident(source)
                run = daemon.create('shop')
                run.live = 100 * resident(source) / before
                run.own = 100 * resident(run.data['file_path']) / size
                daemon.forget(run)
                return run

            def other():
                copy = source + '.copy'
                lab.timed(['cp', '--', source, copy])
                left = 100 * resident(copy) / size
                os.unlink(copy)
                return left

            for a, b in in_turn(lab.rounds(3, 2), ours, other):
                live.add(a.live, a.live)
                own.add(a.own, a.own, b)
    finally:
        lab.remove(source)
    return [live, own, scarce(lab, 'none'), scarce(lab, 'quick')]


def scarce(lab, check):
    """The same where memory is short: who copies drives out the pages of
    the application, unless the copy's own pages go first."""
    size_mb = lab.size_mb
    source = lab.scratch(size_mb)
    size = os.path.getsize(source)
    row = Row('the database\'s pages left, with memory for 1.2 databases, '
              'verify ' + check, 'what cp + fsync%s leaves' % (
                  ' + quick_check' if check == 'quick' else ''), '>=', 95,
              '%', '%')
    # What the daemon itself needs is beside it.
    try:
        limit = Limit(int(1.2 * size) + (32 << 20))
    except Missing as e:
        row.missing = str(e)
        lab.remove(source)
        return row

    def warm():
        """From within, so that the pages count there."""
        os.sync()
        with open(source, 'rb') as f:
            os.posix_fadvise(f.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
        # Twice: the pages are in use, as an application's are.
        for _ in range(2):
            subprocess.run(['cat', source], preexec_fn=limit.join, check=True,
                           stdout=subprocess.DEVNULL)

    try:
        with Daemon(lab, [('shop', source, 'verify ' + check)],
                    join=limit.join) as daemon:
            def ours():
                warm()
                run = daemon.create('shop')
                left = 100 * resident(source) / size
                daemon.forget(run)
                return left

            def other():
                warm()
                copy = source + '.copy'
                subprocess.run(['/bin/sh', '-euc', COPY + CHECK[check], 'sh',
                                source, copy],
                               preexec_fn=limit.join, check=True)
                left = 100 * resident(source) / size
                lab.remove(copy)
                return left

            for a, b in in_turn(lab.rounds(3, 2), ours, other):
                row.add(a, a, b)
    finally:
        limit.close()
        lab.remove(source)
    return row
