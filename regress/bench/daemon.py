"""Our daemon as the bench runs it: the programs of the build, a configuration
file, a backup directory beside the databases; nothing else is set.

Its CPU time is that of all its processes, ended workers included: what the
kernel counts for their control group where one can be made, else the sum of
utime, stime, cutime and cstime in /proc.
"""
import glob
import json
import os
import re
import subprocess
import time
import urllib.request

from lab import Missing

TICKS = os.sysconf('SC_CLK_TCK')
API = '/api/cloud-backup'


def processes(root):
    """A process and its descendants that live."""
    found = [root]
    for pid in found:
        for name in glob.glob('/proc/%d/task/*/children' % pid):
            try:
                with open(name) as f:
                    found += [int(p) for p in f.read().split()]
            except OSError:
                pass
    return found


def pss_kib(pids):
    """Memory with shared pages divided.  Of a process that may not be read
    (root's bench reads all) it is what is the process's own."""
    total = 0
    for pid in pids:
        try:
            total += field_kib(pid, 'smaps_rollup', 'Pss:')
        except PermissionError:
            total += field_kib(pid, 'status', 'RssAnon:', 'RssShmem:')
        except OSError:
            pass                        # it has just ended
    return total


def field_kib(pid, name, *heads):
    with open('/proc/%d/%s' % (pid, name)) as f:
        return sum(int(line.split()[1]) for line in f
                   if line.startswith(heads))


def memory_note(pids):
    try:
        for pid in pids:
            field_kib(pid, 'smaps_rollup', 'Pss:')
    except PermissionError:
        return 'as root it would be PSS; this leaves out shared pages'
    except OSError:
        pass
    return ''


def threads(pids):
    return sum(len(glob.glob('/proc/%d/task/*' % pid)) for pid in pids)


def switches(pids):
    """How often their threads have gone to sleep: wake-ups so far."""
    total = 0
    for pid in pids:
        for name in glob.glob('/proc/%d/task/*/status' % pid):
            with open(name) as f:
                total += sum(int(line.split()[1]) for line in f
                             if line.startswith('voluntary_ctxt'))
    return total


class Group:
    """A control group that counts CPU, of version 2 or 1."""

    def __init__(self, name):
        self.path = None
        for base, counter in (('/sys/fs/cgroup', 'cpu.stat'),
                              ('/sys/fs/cgroup/cpuacct', 'cpuacct.usage')):
            path = os.path.join(base, name)
            try:
                os.mkdir(path)
            except OSError:
                continue
            if os.path.exists(os.path.join(path, counter)):
                self.path, self.counter = path, counter
                return
            os.rmdir(path)

    def join(self):
        """Called by the child before it becomes the daemon."""
        if self.path:
            with open(os.path.join(self.path, 'cgroup.procs'), 'w') as f:
                f.write('0')

    def cpu(self):
        with open(os.path.join(self.path, self.counter)) as f:
            text = f.read()
        if self.counter == 'cpu.stat':
            return int(re.search(r'usage_usec (\d+)', text).group(1)) / 1e6
        return int(text) / 1e9

    def close(self):
        if self.path:
            try:
                os.rmdir(self.path)
            except OSError:
                pass                    # somebody is still ending


class Limit:
    """A control group with so much memory, page cache included."""

    def __init__(self, size):
        name = 'cloudbackupd-bench-%d-memory' % os.getpid()
        for base, limit in (('/sys/fs/cgroup', 'memory.max'),
                            ('/sys/fs/cgroup/memory',
                             'memory.limit_in_bytes')):
            self.path = os.path.join(base, name)
            try:
                os.mkdir(self.path)
            except OSError:
                continue
            if os.path.exists(os.path.join(self.path, limit)):
                with open(os.path.join(self.path, limit), 'w') as f:
                    f.write(str(size))
                return
            os.rmdir(self.path)
        raise Missing('no control group with a limit of memory can be made')

    def join(self):
        with open(os.path.join(self.path, 'cgroup.procs'), 'w') as f:
            f.write('0')

    def close(self):
        try:
            os.rmdir(self.path)
        except OSError:
            pass


def ticks_cpu(root):
    total = 0
    for pid in processes(root):
        try:
            with open('/proc/%d/stat' % pid) as f:
                fields = f.read().rsplit(')', 1)[1].split()
        except OSError:
            continue
        total += sum(int(x) for x in fields[11:15])
    return total / TICKS


class Daemon:
    """databases: pairs of name and path, or triples with more words."""

    number = 0

    def __init__(self, lab, databases, more='', remote=None, join=None):
        Daemon.number += 1
        self.lab = lab
        self.port = lab.port()
        self.url = 'http://127.0.0.1:%d%s' % (self.port, API)
        self.dir = os.path.join(lab.work, 'daemon-%d' % Daemon.number)
        self.backups = os.path.join(self.dir, 'backups')
        self.log = os.path.join(self.dir, 'log')
        os.mkdir(self.dir)
        os.chmod(self.dir, 0o755)
        self.configure(databases, more, remote)
        self.join = join                # of another control group
        self.start()

    def configure(self, databases, more, remote):
        lines = ['listen on 127.0.0.1 port %d' % self.port,
                 'backup directory "%s"' % self.backups]
        if os.getuid() == 0:            # these are on every Debian
            lines += ['user front "games"', 'user network "irc"']
        if remote:
            lines += ['remote "sink" { rest "%s" }' % remote]
        lines += [more] if more else []
        for name, path, *words in databases:
            lines += ['database "%s" {' % name, 'path "%s"' % path,
                      'user id "42"', 'device id "bench"'] + words + ['}']
        self.conf = os.path.join(self.dir, 'conf')
        with open(self.conf, 'w') as f:
            f.write('\n'.join(lines) + '\n')
        os.chmod(self.conf, 0o600)

    def start(self):
        self.group = Group('cloudbackupd-bench-%d-%d' % (os.getpid(),
                                                         Daemon.number))
        with open(self.log, 'ab') as log:
            self.child = self.lab.spawn(
                [os.path.join(self.lab.build, 'cloudbackupd'), '-d', '-f',
                 self.conf], stdout=log, stderr=log,
                preexec_fn=self.enter)
        try:
            self.lab.wait_port(self.port, self.child)
            self.get('/healthz', api=False)
        except Exception as e:
            self.stop()
            with open(self.log) as f:
                raise RuntimeError('the daemon: %s' % f.read()[-400:]) from e

    def enter(self):
        self.group.join()
        if self.join:
            self.join()

    def stop(self):
        self.lab.end(self.child)
        self.group.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()
        subprocess.run(['rm', '-rf', self.dir], check=True)

    # ---- what it uses ----

    def pids(self):
        return processes(self.child.pid)

    def cpu(self):
        if self.group.path:
            return self.group.cpu()
        return ticks_cpu(self.child.pid)

    def child_pid(self, name):
        """front, network"""
        for pid in self.pids():
            with open('/proc/%d/cmdline' % pid) as f:
                if 'cloudbackupd-' + name in f.read():
                    return pid
        raise RuntimeError('no %s' % name)

    # ---- what it is asked ----

    def get(self, path, api=True, method='GET'):
        url = self.url if api else 'http://127.0.0.1:%d' % self.port
        request = urllib.request.Request(url + path, method=method)
        with urllib.request.urlopen(request, timeout=600) as answer:
            text = answer.read()
        try:
            return json.loads(text)
        except ValueError:
            return text.decode()

    def timed_post(self, path, body):
        """As a user would, by curl; with the CPU of all our processes."""
        before = self.cpu()
        run = self.lab.timed(['curl', '-sS', '-X', 'POST', '-H',
                              'Content-Type: application/json', '-d',
                              json.dumps(body), self.url + path])
        time.sleep(0.1)                 # what goes on behind the answer
        run.cpu += self.cpu() - before
        run.answer = json.loads(run.out)
        if not run.answer.get('success'):
            raise RuntimeError('the daemon: %s' % run.out[:400])
        run.data = run.answer['data']
        return run

    def create(self, name, uploaded=False):
        """A backup from the request to its answer; .id tells which."""
        run = self.timed_post('/create', {'database': name})
        where = sorted(run.data['locations'])
        if run.data['status'] != 'completed' or where != (
                ['local', 'remote'] if uploaded else ['local']):
            raise RuntimeError('not completed: %s' % run.out[:600])
        run.id = run.data['id']
        return run

    def wait_backups(self, count, seconds=300):
        """Until there are so many, and no job runs or waits to run."""
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            status = self.get('/status')['data']
            if status['jobs_running'] + status['jobs_queued'] == 0 and \
                    self.get('/stats')['data']['total_backups'] == count:
                return
            time.sleep(0.2)
        raise RuntimeError('the daemon does not come to rest')

    def lock_held(self, name):
        """Seconds that the last capture held its lock, as it says."""
        text = self.get('/metrics', api=False)
        m = re.search(r'lock_held_seconds\{database="%s"\} (\S+)' % name,
                      text)
        return float(m.group(1))

    def forget(self, run):
        """Makes room: the file goes, the daemon is not asked to work."""
        path = run.data['file_path']
        if not path.startswith(self.backups + '/'):
            raise RuntimeError('not a file of ours: %s' % path)
        os.unlink(path)
