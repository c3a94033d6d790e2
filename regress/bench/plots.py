#!/usr/bin/env python3
"""How cost grows: plots.py -b BUILD [-o FOLDER] [-r ROUNDS] [PLOT ...]

Makes the plots, or those that are named, as SVG: cost against the size of a
database, the rows in the catalog, the number of databases and of clients.
Both axes are logarithmic: what grows in proportion is a straight line from
corner to corner, what does not grow a level one.  PLOT_MAX_MB in the
environment bounds the largest database (10000), disk space does, too.
"""
import argparse
import os
import statistics
import subprocess
import sys
import time

from daemon import Daemon, pss_kib
from lab import Lab, Missing
from peers import Peers
from rows_front import Nginx, fill, wrk

SCRIPT = '''
set terminal svg size 720,480 dynamic font "sans-serif,13"
set output "%(out)s"
set title "%(title)s"
set xlabel "%(x)s"
set ylabel "%(y)s"
set logscale xy
set grid
set key below
set format x "%%.0f"
set format y "%%g"
set style data linespoints
set pointsize 0.6
set linetype 1 lc rgb "#0b62a4" lw 2 pt 7
set linetype 2 lc rgb "#c8102e" lw 2 pt 5
set linetype 3 lc rgb "#5a8f29" lw 2 pt 9
set linetype 4 lc rgb "#888888" lw 2 pt 11
set datafile missing "-"
%(data)s
plot %(lines)s
'''


class Plot:
    """Points of several lines over one x; gnuplot draws them."""

    def __init__(self, name, title, x, y, lines):
        self.name, self.title, self.x, self.y = name, title, x, y
        self.lines, self.points = lines, []

    def add(self, x, *ys):
        self.points.append((x,) + ys)
        print('%s %s: %s' % (self.name, x, '  '.join(
            '%s %s' % (line, '-' if y is None else '%.4g' % y)
            for line, y in zip(self.lines, ys))), flush=True)

    def draw(self, lab, folder):
        if not self.points:
            return
        data = '$d << EOD\n' + '\n'.join(' '.join(
            '-' if v is None else '%.6g' % v for v in p)
            for p in self.points) + '\nEOD'
        lines = ', '.join('$d using 1:%d title "%s"' % (n + 2, line)
                          for n, line in enumerate(self.lines))
        out = os.path.join(folder, self.name + '.svg')
        subprocess.run([lab.need('gnuplot')], text=True, check=True,
                       input=SCRIPT % {'out': out, 'title': self.title,
                                       'x': self.x, 'y': self.y,
                                       'data': data, 'lines': lines})
        print('wrote ' + out)


def times(count, run):
    return statistics.median(run() for _ in range(count))


def size(lab):
    """create, without and with a check, against cp + fsync"""
    plot = Plot('size', 'Cost of a backup against the size of the database',
                'MB', 'seconds', ['create, verify none',
                                  'create, verify quick', 'cp + fsync',
                                  'CPU of create, verify none'])
    most = int(os.environ.get('PLOT_MAX_MB', '10000'))
    peers = Peers(lab)
    for mb in (10, 30, 100, 300, 1000, 3000, 10000):
        disk = os.statvfs(lab.dir)
        # The database, a backup, and as much to spare.
        if mb > most or disk.f_bavail * disk.f_frsize < 3 * mb * 1e6:
            print('size: %d MB is left out' % mb)
            continue
        source = lab.database(mb)
        count = lab.rounds(5 if mb <= 1000 else 2)
        with Daemon(lab, [('none', source, 'verify none')]) as daemon:
            runs = []
            for _ in range(count):
                lab.calm(source)
                runs.append(daemon.create('none'))
                daemon.forget(runs[-1])
        with Daemon(lab, [('quick', source, 'verify quick')]) as daemon:
            def quick():
                lab.calm(source)
                run = daemon.create('quick')
                daemon.forget(run)
                return run.wall
            checked = times(count, quick)

        def copy():
            peers.fresh()
            lab.calm(source)
            return peers.copy_fsync(source).wall
        plain = times(count, copy)
        peers.fresh()
        plot.add(os.path.getsize(source) / 1e6,
                 statistics.median(r.wall for r in runs), checked, plain,
                 statistics.median(r.cpu for r in runs))
    return plot


def asked(daemon, path, api=True):
    begin = time.monotonic()
    daemon.get(path, api)
    return 1e3 * (time.monotonic() - begin)


def catalog(lab):
    """what is asked, and a create, with ever more backups known"""
    plot = Plot('catalog', 'Cost against the backups in the catalog',
                'backups in the catalog', 'milliseconds',
                ['create of 1 MB, verify quick', 'GET /user?limit=20',
                 'GET /stats', 'GET /metrics'])
    source = lab.database(1)
    for rows in (10, 100, 1000, 10000, 100000, 1000000):
        with Daemon(lab, [('shop', source, 'verify quick')]) as daemon:
            daemon.stop()
            fill(daemon, rows)
            daemon.start()
            daemon.create('shop')
            plot.add(rows, times(lab.rounds(9), lambda: 1e3 *
                                 daemon.create('shop').wall),
                     times(30, lambda: asked(daemon, '/user?limit=20')),
                     times(30, lambda: asked(daemon, '/stats')),
                     times(30, lambda: asked(daemon, '/metrics', False)))
    return plot


def databases(lab):
    """memory at rest, the answer that tells of all, a backup of each"""
    plot = Plot('databases', 'Cost against the number of databases',
                'databases', 'MiB, milliseconds, seconds',
                ['memory at rest, MiB (PSS)', 'GET /status, ms',
                 'to back up all of them, s'])
    for count in (1, 3, 10, 30, 100, 300, 1000):
        folder = os.path.join(lab.work, 'many')
        os.mkdir(folder)
        for n in range(count):
            subprocess.run(
                ['sqlite3', '%s/%04d.db' % (folder, n),
                 'PRAGMA journal_mode = wal; CREATE TABLE t(a);'
                 'INSERT INTO t VALUES (1)'],
                check=True, stdout=subprocess.DEVNULL)
        begin = time.monotonic()
        with Daemon(lab, [('all', folder + '/*.db', 'at 03:30')]) as daemon:
            daemon.wait_backups(count, 900)
            took = time.monotonic() - begin
            time.sleep(2)
            plot.add(count, pss_kib(daemon.pids()) / 1024,
                     times(10, lambda: asked(daemon, '/status')), took)
        subprocess.run(['rm', '-rf', folder], check=True)
    return plot


def clients(lab):
    """requests a second, and the p99, with ever more connections"""
    lab.need('wrk')
    plot = Plot('clients', 'GET /healthz against the number of clients',
                'connections, each asks as fast as it is answered',
                'thousand requests/s, milliseconds',
                ['thousand requests/s', 'p99, ms',
                 'nginx, one worker: thousand requests/s', 'its p99, ms'])
    source = lab.database(1)
    with Daemon(lab, [('shop', source)], 'connections 1100') as daemon, \
            Nginx(lab) as nginx:
        with open(nginx.root + '/healthz', 'w') as f:
            f.write('ok\n')
        for count in (1, 3, 10, 30, 100, 300, 1000):
            a = wrk(lab, daemon.port, '/healthz', 2, count)
            b = wrk(lab, nginx.port, '/healthz', 2, count)
            plot.add(count, a[0] / 1e3, a[1] * 1e3, b[0] / 1e3, b[1] * 1e3)
    return plot


PLOTS = [('size', size), ('catalog', catalog), ('databases', databases),
         ('clients', clients)]


def main():
    p = argparse.ArgumentParser(description='How cost grows.')
    p.add_argument('-b', dest='build', required=True)
    p.add_argument('-o', dest='folder', default='docs/plots')
    p.add_argument('-r', dest='rounds', type=int)
    p.add_argument('names', nargs='*', metavar='PLOT')
    a = p.parse_args()
    unknown = set(a.names) - {name for name, _ in PLOTS}
    if unknown:
        p.error('no such plots: ' + ', '.join(sorted(unknown)))
    lab = Lab(a.build, rounds=a.rounds)
    os.makedirs(a.folder, exist_ok=True)
    try:
        lab.need('gnuplot')
        lab.hot_memory()
        for name, function in PLOTS:
            if not a.names or name in a.names:
                try:
                    function(lab).draw(lab, a.folder)
                except Missing as e:
                    print('%s: %s' % (name, e))
    except Missing as e:
        print(e, file=sys.stderr)
        return 1
    finally:
        lab.close()
    return 0


if __name__ == '__main__':
    sys.exit(main())
