"""What a user would do instead, each as a script that can be read at once.

They get what ours gets: the same database in a warm page cache, the same
checks, an fsync of what is kept, the same sink for what is sent.
"""
import os
import subprocess
import time

from daemon import processes

# .backup writes the copy and syncs it; sync(1) with a name is fsync of it.
BACKUP = '''
sqlite3 "$1" ".backup '$2'"
sync "$2"
'''

CHECK = {
    'none': '',
    'quick': 'test "$(sqlite3 "$2" "PRAGMA quick_check")" = ok\n',
    'full': 'test "$(sqlite3 "$2" "PRAGMA integrity_check")" = ok\n',
}

HASH = 'openssl dgst -sha256 "$2" >"$2.sha256"\n'

# The file is the last part, as ours sends it.
UPLOAD = '''
curl -sS -F userId=42 -F deviceId=bench -F databaseFile=@"$2" \\
    "$3/api/user-backup/create" >"$2.answer"
grep -q backupId "$2.answer"
'''

COPY = '''
cp -- "$1" "$2"
sync "$2"
'''
GENTLY = '''
nice -n 19 cp -- "$1" "$2"
nice -n 19 sync "$2"
'''

# One step: no other connection's commit makes it begin anew.
PYTHON_BACKUP = '''
import sqlite3, sys
source = sqlite3.connect(sys.argv[1])
target = sqlite3.connect(sys.argv[2])
source.backup(target, pages=-1)
target.close()
'''


class Peers:
    def __init__(self, lab):
        self.lab = lab
        self.file = lab.work + '/peer.db'

    def fresh(self):
        """Nothing is where the peer writes, as nothing is for ours."""
        self.lab.remove(self.file)
        for suffix in ('.sha256', '.answer', '.zst'):
            self.lab.remove(self.file + suffix)

    def pipeline(self, source, check, url):
        """The whole of it: copy, fsync, check, hash, upload."""
        return self.lab.shell(BACKUP + CHECK[check] + HASH + UPLOAD, source,
                              self.file, url)

    def copy_fsync(self, source):
        return self.lab.shell(COPY, source, self.file)

    def copy_gently(self, source):
        return self.lab.shell(GENTLY, source, self.file)

    def copy(self, source):
        return self.lab.timed(['cp', '--', source, self.file])

    def backup(self, source):
        return self.lab.shell(BACKUP, source, self.file)

    def vacuum_into(self, source):
        return self.lab.shell('sqlite3 "$1" "VACUUM INTO \'$2\'"\n'
                              'sync "$2"\n', source, self.file)

    def python_backup(self, source):
        return self.lab.timed(['/usr/bin/env', 'python3', '-c', PYTHON_BACKUP,
                               source, self.file])

    def restore(self, image, live):
        return self.lab.timed(['sqlite3', live, ".timeout 60000",
                               ".restore '%s'" % image])


def litestream_program(lab):
    return lab.need('litestream', [
        lab.dir + '/npm/node_modules/@flydotio/litestream-linux-x64/litestream'
    ])


class Litestream:
    """Replicates databases to files; settled when every one has a copy."""

    def __init__(self, lab, paths):
        self.lab = lab
        self.dir = os.path.join(lab.work, 'litestream')
        os.mkdir(self.dir)
        conf = os.path.join(self.dir, 'conf')
        with open(conf, 'w') as f:
            f.write('dbs:\n')
            for n, path in enumerate(paths):
                f.write('  - path: %s\n    replicas:\n      - path: %s/r%d\n'
                        % (path, self.dir, n))
        self.child = lab.spawn(
            [litestream_program(lab), 'replicate', '-config', conf],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.count = len(paths)

    def pids(self):
        return processes(self.child.pid)

    def wait(self, seconds=120):
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            done = sum(any('.snapshot.lz4' in name and
                           not name.endswith('.tmp')
                           for _, _, names in os.walk('%s/r%d' %
                                                      (self.dir, n))
                           for name in names) for n in range(self.count))
            if done == self.count:
                return
            time.sleep(0.1)
        raise RuntimeError('Litestream made no copy')

    def close(self):
        self.lab.end(self.child)
        subprocess.run(['rm', '-rf', self.dir], check=True)
