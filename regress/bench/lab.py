"""What every row of the bench uses: where things are, programs that are
timed, free memory that is kept hot, the databases and the sink.

A run of a program is measured from before its start to its end (wall), with
the CPU time of it and of all that it waited for (cpu).  Before each, dirty
pages are written out and the database is read once, on both sides.
"""
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
TOP = os.path.dirname(os.path.dirname(HERE))


class Run:
    """What one timed run took; more attributes are the row's own."""

    def __init__(self, wall, cpu, **more):
        self.wall = wall                # s
        self.cpu = cpu                  # s
        self.__dict__.update(more)


class Missing(Exception):
    """A peer is not installed; the row says so."""


class Lab:
    def __init__(self, build, quick=False, rounds=None, size_mb=None):
        self.build = build
        self.quick = quick
        self.asked_rounds = rounds
        self.size_mb = size_mb or (100 if quick else 1000)
        self.dir = os.environ.get('BENCH_DIR', '/var/tmp/cloudbackupd-bench')
        self.work = os.path.join(self.dir, 'work.%d' % os.getpid())
        self.children = []
        self.pool = None
        self.sink_port = None
        os.makedirs(self.dir, exist_ok=True)
        # What an ended run has left: its process is gone.
        for name in os.listdir(self.dir):
            if name.startswith('work.') and not os.path.exists(
                    '/proc/' + name[5:]):
                shutil.rmtree(os.path.join(self.dir, name))
        os.makedirs(self.work)

    # ---- numbers of rounds, sizes ----

    def rounds(self, usual, quick=None):
        if self.asked_rounds:
            return self.asked_rounds
        return (quick or max(2, usual // 2)) if self.quick else usual

    # ---- programs ----

    def tool(self, name):
        return os.path.join(self.build, 'regress/bench', name)

    def need(self, name, places=()):
        """The path of a peer, or Missing."""
        found = shutil.which(name, path=os.environ.get('PATH', '') +
                             ':/usr/sbin:/sbin')
        for place in places:
            if not found and os.access(place, os.X_OK):
                found = place
        if not found:
            raise Missing('%s is not installed' % name)
        return found

    def spawn(self, argv, **more):
        """A helper that runs beside what is measured."""
        child = subprocess.Popen(argv, stdin=subprocess.DEVNULL, **more)
        self.children.append(child)
        return child

    def end(self, child, sig=signal.SIGTERM):
        """Its standard output, where that is a pipe."""
        if child.poll() is None:
            child.send_signal(sig)
        try:
            out, _ = child.communicate(timeout=60)
        except subprocess.TimeoutExpired:
            child.kill()
            out, _ = child.communicate()
        if child in self.children:
            self.children.remove(child)
        return out

    def close(self):
        for child in list(self.children):
            self.end(child)
        shutil.rmtree(self.work, ignore_errors=True)

    def timed(self, argv, want=0):
        """Runs argv to its end.  Its output is in .out."""
        out = os.path.join(self.work, 'out')
        with open(out, 'w+b') as f:
            begin = time.monotonic()
            child = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=f,
                                     stderr=subprocess.STDOUT)
            _, status, usage = os.wait4(child.pid, 0)
            wall = time.monotonic() - begin
            child.returncode = os.waitstatus_to_exitcode(status)
            f.seek(0)
            text = f.read().decode(errors='replace')
        if child.returncode != want:
            raise RuntimeError('%s ended with %d: %s' % (
                ' '.join(argv)[:200], child.returncode, text[-400:]))
        return Run(wall, usage.ru_utime + usage.ru_stime, out=text,
                   begin=begin, end=begin + wall)

    def shell(self, script, *args):
        """A script whose parameters are args."""
        return self.timed(['/bin/sh', '-euc', script, 'sh'] +
                          [str(a) for a in args])

    # ---- memory and cache ----

    def calm(self, *files):
        """Before every timed run, on both sides."""
        os.sync()
        for name in files:
            with open(name, 'rb', buffering=0) as f:
                while f.read(1 << 20):
                    pass

    def hot_memory(self):
        """See hotpool.c.  A third of what is free, 8 GB at most."""
        with open('/proc/meminfo') as f:
            free = next(int(line.split()[1]) // 1024 for line in f
                        if line.startswith('MemAvailable'))
        self.pool = self.spawn([self.tool('hotpool'),
                                str(min(free // 3 // 2, 4096))],
                               stdout=subprocess.PIPE)
        self.pool.stdout.readline()

    # ---- databases ----

    def database(self, size_mb, mode='wal'):
        """One of the databases that are kept; made by the first who asks."""
        name = os.path.join(self.dir, 'pos-%d-%s.db' % (size_mb, mode))
        if os.path.exists(name):
            return name
        part = name + '.part'
        for suffix in ('', '-wal', '-shm', '-journal'):
            if os.path.exists(part + suffix):
                os.unlink(part + suffix)
        print('Making a database of %d MB' % size_mb, file=sys.stderr)
        other = os.path.join(self.dir, 'pos-%d-%s.db' % (
            size_mb, 'delete' if mode == 'wal' else 'wal'))
        if os.path.exists(other):
            self.copy(other, part)
            subprocess.run(['sqlite3', part, 'PRAGMA journal_mode = ' + mode],
                           check=True, stdout=subprocess.DEVNULL)
        else:
            subprocess.run([self.tool('pos'), part, str(size_mb), mode],
                           check=True)
        os.rename(part, name)
        return name

    def copy(self, source, target):
        subprocess.run(['cp', '--', source, target], check=True)

    def scratch(self, size_mb, mode='wal'):
        """A copy that a row may write to; the row removes it."""
        name = os.path.join(self.work, 'live-%d-%s.db' % (size_mb, mode))
        self.remove(name)
        self.copy(self.database(size_mb, mode), name)
        return name

    def remove(self, name):
        for suffix in ('', '-wal', '-shm', '-journal'):
            if os.path.exists(name + suffix):
                os.unlink(name + suffix)

    # ---- network ----

    def port(self):
        """A free one below those that the kernel gives out."""
        while True:
            port = random.randrange(20000, 32000)
            with socket.socket() as s:
                try:
                    s.bind(('127.0.0.1', port))
                except OSError:
                    continue
            return port

    def wait_port(self, port, child, seconds=15):
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            try:
                socket.create_connection(('127.0.0.1', port), 1).close()
                return
            except OSError:
                if child.poll() is not None:
                    break
                time.sleep(0.02)
        raise RuntimeError('nobody listens on port %d' % port)

    def sink(self):
        """The URL of the sink that both sides upload to."""
        if self.sink_port is None:
            self.sink_port = self.port()
            self.wait_port(self.sink_port, self.spawn(
                [self.tool('sink'), str(self.sink_port)]))
        return 'http://127.0.0.1:%d' % self.sink_port
