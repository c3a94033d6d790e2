"""Rows: how long a capture is in others' way.  What the daemon says of its
lock is compared with what somebody outside sees (lockwatch)."""
import subprocess

from daemon import Daemon
from pair import Row, in_turn
from peers import Peers


class Watch:
    """lockwatch beside something: .longest, in seconds."""

    def __init__(self, lab, path, mode):
        self.lab = lab
        self.child = lab.spawn([lab.tool('lockwatch'), path, mode],
                               stdout=subprocess.PIPE)
        self.child.stdout.readline()

    def end(self):
        longest, _ = self.lab.end(self.child).split()
        return int(longest) / 1e6


def watched(lab, path, mode, run):
    watch = Watch(lab, path, mode)
    try:
        result = run()
    finally:
        longest = watch.end()
    result.seen = longest
    return result


def reading(lab, source):
    lab.calm(source)
    return lab.timed(['dd', 'if=' + source, 'of=/dev/null', 'bs=1M',
                      'status=none']).wall


def lock_rollback(lab):
    size_mb = lab.size_mb
    source = lab.database(size_mb, 'delete')
    peers = Peers(lab)
    said = Row('lock held, rollback journal, %d MB: as it says' % size_mb,
               'backup API in one step', '<=', 0.2 * size_mb / 1000, 's')
    seen = Row('the same, as seen from outside', 'the same', '<=',
               0.2 * size_mb / 1000, 's')
    share = Row('the same', 'the same, as a ratio')

    with Daemon(lab, [('shop', source, 'verify none')]) as daemon:
        def ours():
            lab.calm(source)
            run = watched(lab, source, 'delete',
                          lambda: daemon.create('shop'))
            run.said = daemon.lock_held('shop')
            daemon.forget(run)
            return run

        def other():
            peers.fresh()
            lab.calm(source)
            run = watched(lab, source, 'delete',
                          lambda: peers.python_backup(source))
            peers.fresh()
            return run

        for a, b in in_turn(lab.rounds(5, 3), ours, other):
            said.add(a.said, a.said, b.seen)
            seen.add(a.seen, a.seen, b.seen)
            share.add(a.seen / b.seen, a.seen, b.seen)
    said.note = 'to read the file once takes %.2f s' % reading(lab, source)
    return [said, seen, share]


def lock_wal(lab):
    """With a -wal of a tenth of the database that is not checkpointed."""
    size_mb = lab.size_mb
    wal_mb = max(1, size_mb // 10)
    source = lab.scratch(size_mb)
    peers = Peers(lab)
    said = Row('lock held, WAL, %d MB with a -wal of %d MB: as it says' % (
        size_mb, wal_mb), 'cp of the database file', '<=', 1.3)
    seen = Row('the same, as seen from outside', 'the same', '<=', 1.3)
    # Somebody has it open, so that nobody is the last who closes it.
    opener = lab.spawn([lab.tool('load'), source, 'open'],
                       stdout=subprocess.PIPE)
    opener.stdout.readline()
    subprocess.run([lab.tool('load'), '-s', 'off', '-w', str(wal_mb), source,
                    'grow'], check=True)
    try:
        with Daemon(lab, [('shop', source, 'verify none')]) as daemon:
            def ours():
                lab.calm(source, source + '-wal')
                run = watched(lab, source, 'wal',
                              lambda: daemon.create('shop'))
                run.said = daemon.lock_held('shop')
                daemon.forget(run)
                return run

            def other():
                peers.fresh()
                lab.calm(source, source + '-wal')
                run = peers.copy(source)
                peers.fresh()
                return run

            for a, b in in_turn(lab.rounds(5, 3), ours, other):
                said.add(a.said / b.wall, a.said, b.wall)
                seen.add(a.seen / b.wall, a.seen, b.wall)
    finally:
        lab.end(opener)
        lab.remove(source)
    return [said, seen]


def lock(lab):
    return lock_rollback(lab) + lock_wal(lab)
