"""Rows: a whole create, with a local copy and an upload, against the
pipeline of today; a capture alone against cp."""
import os
import shutil
import statistics
import time

from daemon import Daemon, ticks_cpu
from lab import Missing, Run
from pair import Row, in_turn
from peers import Litestream, Peers

PIPELINE = 'sqlite3 .backup + fsync + %sopenssl sha256 + curl -F'


def side_by_side(lab, daemon, name, source, peer, uploaded, rounds,
                 warm=1):
    """Rounds of our create and of the peer; neither finds a file there."""
    peers = Peers(lab)

    def ours():
        lab.calm(source)
        run = daemon.create(name, uploaded)
        daemon.forget(run)
        return run

    def other():
        peers.fresh()
        lab.calm(source)
        run = peer(peers)
        peers.fresh()
        return run

    return in_turn(rounds, ours, other, warm)


def one_create(lab, size_mb, check, faster, rounds, mode='wal'):
    source = lab.database(size_mb, mode)
    steps = {'none': '', 'quick': 'quick_check + ',
             'full': 'integrity_check + '}[check]
    wall = Row('create, verify %s, %d MB%s' % (
        check, size_mb, '' if mode == 'wal' else ', rollback journal'),
               PIPELINE % steps, '>=' if faster else '', faster, 'x faster')
    cpu = Row('its CPU time', 'the same', *(
        ('<=', 0.75) if check == 'none' and faster else ('', None)), unit='x')
    sink = lab.sink()
    with Daemon(lab, [('shop', source, 'verify ' + check)],
                remote=sink) as daemon:
        for ours, other in side_by_side(
                lab, daemon, 'shop', source,
                lambda p: p.pipeline(source, check, sink), True, rounds,
                warm=0 if check == 'full' else 1):
            wall.add(other.wall / ours.wall, ours.wall, other.wall)
            cpu.add(ours.cpu / other.cpu, ours.cpu, other.cpu)
    if check == 'quick':
        lab.calm(source)
        wall.note = 'quick_check alone takes %.2f s' % lab.timed(
            ['sqlite3', source, 'PRAGMA quick_check']).wall
    return [wall, cpu]


def create(lab):
    """none, quick, full"""
    sizes = [lab.size_mb] if lab.size_mb < 1000 else [lab.size_mb, 100]
    rows = []
    for check, faster, usual in (('none', 2.0, 7), ('quick', 1.3, 5),
                                 ('full', 1.0, 3)):
        for size_mb in sizes:
            rows += one_create(lab, size_mb, check, faster,
                               lab.rounds(usual, 1 if check == 'full' else 3))
    if not lab.quick:
        rows += one_create(lab, 10, 'none', None, lab.rounds(7))
        rows += one_create(lab, lab.size_mb, 'none', 2.0, lab.rounds(5),
                           'delete')
    return rows


def capture(lab):
    """hashed and fsynced, nothing is sent"""
    size_mb = lab.size_mb
    source = lab.database(size_mb)
    rows = []
    with Daemon(lab, [('shop', source, 'verify none')]) as daemon:
        for against, peer, goal, limit in (
                ('cp + fsync', lambda p: p.copy_fsync(source), 1.25, hashing),
                ('sqlite3 .backup + fsync', lambda p: p.backup(source), None,
                 None),
                ('VACUUM INTO + fsync', lambda p: p.vacuum_into(source), None,
                 None)):
            if goal is None and lab.quick:
                continue
            row = Row('capture, hashed and fsynced, %d MB' % size_mb, against,
                      '<=' if goal else '', goal)
            for ours, other in side_by_side(lab, daemon, 'shop', source, peer,
                                            False, lab.rounds(5, 3)):
                row.add(ours.wall / other.wall, ours.wall, other.wall)
            if limit:
                row.note = limit(lab, source)
            rows.append(row)
    return rows


def hashing(lab, source):
    """The limit: nobody has read and hashed it sooner."""
    lab.calm(source)
    run = lab.timed(['openssl', 'dgst', '-sha256', source])
    return 'SHA-256 of the file alone takes %.2f s' % run.wall


ZSTD = 'zstd -q -T0 -%d -o "$2.zst" "$1"\nsync "$2.zst"\n'
# The same proof: of the image, and of what was made of it.
ZSTD_CHECKED = 'test "$(sqlite3 "$1" "PRAGMA quick_check")" = ok\n' + \
    ZSTD + 'zstd -q -t "$2.zst"\n'


def zstd(lab):
    size_mb = lab.size_mb
    source = lab.database(size_mb)
    lab.need('zstd')
    row, cpu, ours = zstd_rows(
        lab, source, 'none', ZSTD, 'zstd -T0 -%d of a finished file + fsync',
        lab.rounds(5, 2))
    row.sense, row.goal = '<=', 1.1
    row.note = 'ours stores %.0f %% of the image, of a copy that it makes ' \
        'first, and hashes both: that CPU time, on %d cores, takes %.2f s ' \
        'or more' % (100 * ours.data['stored_size'] / ours.data['file_size'],
                     os.cpu_count(),
                     statistics.median(cpu.ours) / os.cpu_count())
    checked, _, _ = zstd_rows(
        lab, source, 'quick', ZSTD_CHECKED,
        'quick_check, zstd -T0 -%d + fsync, zstd -t', lab.rounds(3, 1))
    return [row, cpu, checked]


def zstd_rows(lab, source, verify, script, against, rounds):
    level = 3
    row = Row('create, compress zstd %d, verify %s, %d MB' % (
        level, verify, lab.size_mb), against % level)
    cpu = Row('its CPU time', 'the same')
    script = script % level
    with Daemon(lab, [('shop', source, 'verify ' + verify,
                       'compress zstd %d' % level)]) as daemon:
        for ours, other in side_by_side(
                lab, daemon, 'shop', source,
                lambda p: lab.shell(script, source, p.file), False, rounds):
            row.add(ours.wall / other.wall, ours.wall, other.wall)
            cpu.add(ours.cpu / other.cpu, ours.cpu, other.cpu)
    return row, cpu, ours


RESTIC = '''
sqlite3 "$1" ".backup '$2'"
restic -q --no-cache -r "$3" backup "$2"
'''


def others(lab):
    """programs that compress what they store"""
    return restic(lab) + litestream(lab)


def restic(lab):
    """Into an empty repository of its own each time."""
    size_mb = lab.size_mb
    source = lab.database(size_mb)
    row = Row('create, compress zstd 3, verify none, %d MB' % size_mb,
              'sqlite3 .backup + restic backup')
    try:
        program = lab.need('restic')
    except Missing as e:
        row.missing = str(e)
        return [row]
    repository = lab.work + '/restic'
    os.environ.update(RESTIC_PASSWORD='bench', RESTIC_REPOSITORY=repository)

    def backup(peers):
        shutil.rmtree(repository, ignore_errors=True)
        lab.timed([program, '-q', 'init'])
        return lab.shell(RESTIC, source, peers.file, repository)

    with Daemon(lab, [('shop', source, 'verify none',
                       'compress zstd 3')]) as daemon:
        for ours, other in side_by_side(lab, daemon, 'shop', source, backup,
                                        False, lab.rounds(3, 2)):
            row.add(ours.wall / other.wall, ours.wall, other.wall)
    shutil.rmtree(repository)
    return [row]


def litestream(lab):
    """From its start until its first snapshot is there."""
    size_mb = lab.size_mb
    source = lab.scratch(size_mb)
    row = Row('create, verify none, %d MB' % size_mb,
              'Litestream\'s first snapshot, compressed',
              note='Litestream looks once a second: up to 1 s of its time')

    def snapshot(_):
        begin = time.monotonic()
        peer = Litestream(lab, [source])
        try:
            peer.wait()
            return Run(time.monotonic() - begin, ticks_cpu(peer.child.pid))
        finally:
            peer.close()
            # It keeps what it shadows beside the database.
            shutil.rmtree(os.path.join(
                os.path.dirname(source), '.%s-litestream' %
                os.path.basename(source)), ignore_errors=True)

    try:
        with Daemon(lab, [('shop', source, 'verify none')]) as daemon:
            for ours, other in side_by_side(
                    lab, daemon, 'shop', source, snapshot, False,
                    lab.rounds(3, 2)):
                row.add(ours.wall / other.wall, ours.wall, other.wall)
    except Missing as e:
        row.missing = str(e)
    finally:
        lab.remove(source)
    return [row]
