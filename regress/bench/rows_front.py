"""Rows: what the front serves, against nginx with one worker (the front is
one process, too), sendfile and no log of accesses."""
import os
import re
import shutil
import statistics
import subprocess
import threading
import time

from daemon import Daemon
from pair import Row, in_turn

CATALOG_ROWS = 100000

# A backup each, at a remote: this machine would look for local files.
FILL = '''
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < %d)
INSERT INTO cloud_backups (user_id, user_kind, backup_name, file_size,
    checksum, created_at, updated_at, database, created_ms, updated_ms,
    captured_ms)
SELECT '42', 1, 'Backup ' || i, 1000000 + i, '',
    '2026-01-01T00:00:00Z', '2026-01-01T00:00:00Z', 'shop',
    1767225600000 + i * 1000, 1767225600000 + i * 1000,
    1767225600000 + i * 1000 FROM n;
INSERT INTO copies (backup_id, place, state, remote_id, size, created_ms,
    updated_ms, completed_ms, database)
SELECT id, 'sink', 'completed', 'up-' || id, file_size, created_ms,
    updated_ms, created_ms, 'shop' FROM cloud_backups;
'''


def fill(daemon, rows):
    """The daemon is down; afterwards its catalog has so many rows."""
    subprocess.run(['sqlite3', daemon.backups + '/catalog.sqlite'],
                   input='BEGIN;' + FILL % rows + 'COMMIT;', text=True,
                   check=True)


class Nginx:
    """Serves a folder of the bench's."""

    def __init__(self, lab):
        self.lab = lab
        program = lab.need('nginx')
        self.port = lab.port()
        self.dir = os.path.join(lab.work, 'nginx')
        self.root = os.path.join(self.dir, 'root')
        os.makedirs(self.root)
        conf = os.path.join(self.dir, 'conf')
        with open(conf, 'w') as f:
            f.write('''%s
worker_processes 1;
daemon off;
pid %s/pid;
error_log %s/error.log;
events { worker_connections 4096; }
http {
	access_log off;
	sendfile on;
	tcp_nopush on;
	keepalive_requests 1000000000;
	client_body_temp_path %s/t1; proxy_temp_path %s/t2;
	fastcgi_temp_path %s/t3; uwsgi_temp_path %s/t4; scgi_temp_path %s/t5;
	server { listen 127.0.0.1:%d; root %s; }
}
''' % (('user root;' if os.getuid() == 0 else '',) + (self.dir,) * 7 +
       (self.port, self.root)))
        self.child = lab.spawn([program, '-c', conf, '-p', self.dir, '-e',
                                self.dir + '/error.log'])
        lab.wait_port(self.port, self.child)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.lab.end(self.child)
        shutil.rmtree(self.dir)


def rate(lab, argv, size):
    """Bytes a second by drain, or by a client that is given."""
    run = lab.timed(argv)
    if argv[0].endswith('drain'):
        got, us = run.out.split()
        if int(got) != size:
            raise RuntimeError('%s of %d bytes came' % (got, size))
        return size / (int(us) / 1e6)
    return size / run.wall


def download(lab):
    size_mb = lab.size_mb
    source = lab.database(size_mb)
    rows = []
    with Daemon(lab, [('shop', source, 'verify none')]) as daemon, \
            Nginx(lab) as nginx:
        run = daemon.create('shop')
        path, size = run.data['file_path'], run.data['file_size']
        os.link(path, nginx.root + '/backup')
        os.chmod(path, 0o644)
        for client in ('a client that drops the bytes unread', 'curl'):
            row = Row('download %d MB over loopback, to %s' % (size_mb,
                                                              client),
                      'nginx sendfile', '>=', 0.9, figure='MB/s')

            def once(port, what):
                lab.calm(path)
                if client == 'curl':
                    return rate(lab, ['curl', '-sS', '-f', '-o', '/dev/null',
                                      'http://127.0.0.1:%d%s' % (port, what)],
                                size)
                return rate(lab, [lab.tool('drain'), str(port), what], size)

            # Which processors the two ends get makes one twice another.
            def ask(port, what):
                return statistics.median(
                    once(port, what) for _ in range(1 if lab.quick else 5))

            for a, b in in_turn(
                    lab.rounds(7, 3),
                    lambda: ask(daemon.port,
                                '/api/cloud-backup/download/%d' % run.id),
                    lambda: ask(nginx.port, '/backup')):
                row.add(a / b, a / 1e6, b / 1e6)
            rows.append(row)
    return rows


def wrk(lab, port, path, seconds, connections=64):
    """Requests a second and the p99 in seconds."""
    text = lab.timed(['wrk', '-t1', '-c%d' % connections, '-d%ds' % seconds,
                      '--latency', 'http://127.0.0.1:%d%s' %
                      (port, path)]).out
    if 'Non-2xx' in text or 'Socket errors' in text:
        raise RuntimeError('wrk: ' + text)
    value, unit = re.search(r'99%\s+([\d.]+)(us|ms|s)', text).groups()
    return (float(re.search(r'Requests/sec:\s+([\d.]+)', text).group(1)),
            float(value) * {'us': 1e-6, 'ms': 1e-3, 's': 1}[unit])


def gets(lab):
    lab.need('wrk')
    size_mb = lab.size_mb
    source = lab.database(size_mb)
    seconds = 1 if lab.quick else 3
    rows = []
    with Daemon(lab, [('shop', source, 'verify none')]) as daemon, \
            Nginx(lab) as nginx:
        daemon.stop()
        fill(daemon, CATALOG_ROWS)
        daemon.start()
        count = daemon.get('/stats')['data']['total_backups']
        if count != CATALOG_ROWS:
            raise RuntimeError('the catalog has %d rows' % count)
        for path, goal, what in (
                ('/healthz', 0.8, '/healthz'),
                ('/api/cloud-backup/stats', 0.3,
                 '/stats, %d rows in the catalog' % count)):
            # nginx serves the very bytes that ours answers.
            name = path.rsplit('/', 1)[1]
            subprocess.run(['curl', '-sS', '-f', '-o',
                            nginx.root + '/' + name,
                            'http://127.0.0.1:%d%s' % (daemon.port, path)],
                           check=True)
            row = Row('GET %s, keep-alive, 64 connections' % what,
                      'the same bytes by nginx, one worker', '>=', goal,
                      figure='/s')
            for a, b in in_turn(
                    lab.rounds(5, 2),
                    lambda: wrk(lab, daemon.port, path, seconds),
                    lambda: wrk(lab, nginx.port, '/' + name, seconds)):
                row.add(a[0] / b[0], a[0], b[0])
            rows.append(row)
        rows.append(busy(lab, daemon, nginx, size_mb))
    return rows


def busy(lab, daemon, nginx, size_mb):
    """p99 of requests while creates run, one after the other."""
    row = Row('p99 of GET /healthz, 64 connections, while %d MB are backed '
              'up' % size_mb, 'nginx, meanwhile', '<=', 0.005, 's')
    stop = threading.Event()
    runs, errors = [], []

    def work():
        while not stop.is_set():
            try:
                run = daemon.create('shop')
                daemon.forget(run)
                runs.append(run)
            except Exception as e:
                errors.append(e)
                return

    def p99(port):
        stop.clear()
        thread = threading.Thread(target=work)
        thread.start()
        time.sleep(0.1)
        try:
            return wrk(lab, port, '/healthz', 2 if lab.quick else 5)[1]
        finally:
            stop.set()
            thread.join()

    for a, b in in_turn(lab.rounds(5, 2), lambda: p99(daemon.port),
                        lambda: p99(nginx.port), 0):
        row.add(a, a, b)
    if errors:
        raise errors[0]
    row.note = 'wrk asks as fast as it can, on the same %d cores; %d ' \
        'backups ended meanwhile' % (os.cpu_count(), len(runs))
    return row
