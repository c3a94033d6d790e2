"""What the table stands on: the machine, and the document it is kept in."""
import os
import platform
import re
import subprocess
import time

from pair import markdown_table

BEGIN = '<!-- make bench writes from here -->'
END = '<!-- to here -->'


def first(pattern, name):
    try:
        with open(name) as f:
            m = re.search(pattern, f.read(), re.M)
    except OSError:
        return '?'
    return m.group(1).strip() if m else '?'


def output(*argv):
    try:
        done = subprocess.run(argv, capture_output=True, text=True)
    except OSError:
        return 'none'
    return (done.stdout or done.stderr).split('\n')[0]


def machine():
    memory = int(first(r'^MemTotal:\s+(\d+)', '/proc/meminfo')) / 1e6
    where = os.environ.get('BENCH_DIR', '/var/tmp')
    kind = output('stat', '-f', '-c', '%T', where)
    return [
        '%d cores of %s, %s, %.0f GB of memory' % (
            os.cpu_count(), first(r'^model name\s*:(.*)', '/proc/cpuinfo'),
            'with SHA instructions' if re.search(
                r'sha_ni|sha2', first(r'^(?:flags|Features)\s*:(.*)',
                                      '/proc/cpuinfo')) else
            'without SHA instructions', memory),
        'Linux %s, %s; databases on %s' % (
            platform.release(),
            first(r'^PRETTY_NAME="(.*)"', '/etc/os-release'), kind),
        'sqlite3 %s; %s; %s; %s' % (
            output('sqlite3', '--version').split(' ')[0],
            ' '.join(output('openssl', 'version').split(' ')[:2]),
            ' '.join(output('curl', '--version').split(' ')[:2]),
            re.sub(r'^.*(v[0-9.]+).*$', r'zstd \1',
                   output('zstd', '--version'))),
        'load when it ended: ' + open('/proc/loadavg').read().split()[0],
    ]


def notes(rows):
    return ['%s: %s' % (row.work, row.note or row.missing) for row in rows
            if row.note or row.missing]


def commit():
    top = os.path.dirname(os.path.abspath(__file__))
    text = output('git', '-C', top, 'log', '-1', '--format=%h of %cs')
    return text or 'unknown'


def write(name, rows, rounds=None):
    """Puts the table between the marks of a document."""
    with open(name) as f:
        head, rest = f.read().split(BEGIN)
    tail = rest.split(END)[1]
    text = '%s\n\n%s, `make bench%s`, commit %s.\n\n%s\n\n%s\n\n%s' % (
        BEGIN, time.strftime('%Y-%m-%d %H:%M', time.gmtime()) + ' UTC',
        ' ROUNDS=%d' % rounds if rounds else '', commit(), '\n'.join('- ' + line for line in machine()),
        markdown_table(rows), END)
    with open(name + '.part', 'w') as f:
        f.write(head + text + tail)
    os.rename(name + '.part', name)
