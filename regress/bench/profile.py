#!/usr/bin/env python3
"""Where the time of create goes: profile.py -b BUILD [-o SVG] [-m MB].

Takes backups (verify quick, with an upload) while perf looks at all our
processes, and draws what it saw as a flame graph: a box is a function, its
width the share of CPU time that was spent in it and in what it called; below
it stands its caller, at the bottom the program.  Kernel time is part of it
where perf may see that.
"""
import argparse
import html
import os
import re
import subprocess
import sys
import time

from daemon import Daemon
from lab import Lab, Missing

WIDTH, HEIGHT, LEAST = 1200, 17, 0.001


# The kernel cuts a program's name to 15 bytes.
NAMES = {'cloudbackupd-fr': 'cloudbackupd-front',
         'cloudbackupd-ne': 'cloudbackupd-network',
         'cloudbackupd-wo': 'cloudbackupd-worker'}


class Box:
    def __init__(self):
        self.count, self.inner = 0, {}

    def add(self, stack):
        self.count += 1
        if stack:
            self.inner.setdefault(stack[0], Box()).add(stack[1:])

    def depth(self, total):
        return 1 + max([box.depth(total) for box in self.inner.values()
                        if box.count >= total * LEAST], default=0)


def stacks(text):
    """Of perf script: a head, then a line for each frame, innermost first."""
    for sample in text.split('\n\n'):
        lines = sample.strip('\n').split('\n')
        if len(lines) < 2:
            continue
        program = re.sub(r'\s+\d+.*', '', lines[0].strip())
        frames = []
        for line in lines[1:]:
            m = re.match(r'\s*[0-9a-f]+ (.*) \(([^)]*)\)$', line)
            if not m:
                continue
            name = re.sub(r'\+0x[0-9a-f]+$', '', m.group(1))
            if name == '[unknown]':
                name = os.path.basename(m.group(2)).strip('[]')
            if not frames or frames[-1] != name:
                frames.append(name)
        yield [NAMES.get(program, program)] + frames[::-1]


def draw(box, name, x, level, scale, top, out):
    width = box.count * scale
    y = top - (level + 1) * HEIGHT
    # The same function has the same colour in every picture.
    hue = sum(map(ord, name)) * 37 % 55
    out.append('<g><title>%s: %.1f %%</title><rect x="%.1f" y="%d" '
               'width="%.1f" height="%d" fill="hsl(%d,75%%,68%%)"/>' % (
                   html.escape(name), 100 * width / WIDTH, x, y,
                   max(width - 0.5, 0.3), HEIGHT - 1, hue))
    room = int(width / 7)
    if room >= 4:
        text = name if len(name) <= room else name[:room - 1] + '…'
        out.append('<text x="%.1f" y="%d">%s</text>' % (
            x + 2, y + HEIGHT - 5, html.escape(text)))
    out.append('</g>')
    for inner_name, inner in sorted(box.inner.items()):
        if inner.count * scale >= WIDTH * LEAST:
            draw(inner, inner_name, x, level + 1, scale, top, out)
        x += inner.count * scale


def svg(root, title):
    top = root.depth(root.count) * HEIGHT + 30
    out = ['<svg xmlns="http://www.w3.org/2000/svg" width="%d" height="%d" '
           'viewBox="0 0 %d %d" font-family="monospace" font-size="11">' % (
               WIDTH, top + 4, WIDTH, top + 4),
           '<rect width="100%" height="100%" fill="#fff"/>',
           '<text x="4" y="18" font-size="13">%s</text>' %
           html.escape(title)]
    draw(root, 'all', 0, 0, WIDTH / root.count, top, out)
    return '\n'.join(out + ['</svg>', ''])


def sample(lab, size_mb, creates):
    """What perf saw of so many creates, as its script prints it."""
    perf = lab.need('perf')
    source = lab.database(size_mb)
    data = os.path.join(lab.work, 'perf')
    with Daemon(lab, [('shop', source, 'verify quick')],
                remote=lab.sink()) as daemon:
        daemon.forget(daemon.create('shop', True))
        # Workers are children of the engine, and inherit being looked at.
        child = lab.spawn([perf, 'record', '-q', '-F', '499', '--call-graph',
                           'dwarf,8192', '-o', data, '-p',
                           ','.join(map(str, daemon.pids()))],
                          stderr=subprocess.DEVNULL)
        time.sleep(1)
        for _ in range(creates):
            daemon.forget(daemon.create('shop', True))
        lab.end(child)
    return subprocess.run([perf, 'script', '-i', data, '--no-inline', '-F',
                           'comm,ip,sym,dso'],
                          capture_output=True, text=True, check=True,
                          errors='replace').stdout


def main():
    p = argparse.ArgumentParser(description='Where the time of create goes.')
    p.add_argument('-b', dest='build', required=True)
    p.add_argument('-o', dest='out', default='docs/create-profile.svg')
    p.add_argument('-m', dest='size_mb', type=int, default=100)
    a = p.parse_args()
    lab = Lab(a.build)
    root = Box()
    try:
        lab.hot_memory()
        for stack in stacks(sample(lab, a.size_mb, 5)):
            root.add(stack)
    except Missing as e:
        print(e, file=sys.stderr)
        return 1
    finally:
        lab.close()
    if root.count == 0:
        print('perf saw nothing', file=sys.stderr)
        return 1
    with open(a.out, 'w') as f:
        f.write(svg(root, 'CPU time of create, verify quick, with an upload, '
                    '%d MB: %d samples of all processes' % (
                        a.size_mb, root.count)))
    for name, box in sorted(root.inner.items(), key=lambda i: -i[1].count):
        print('%5.1f %%  %s' % (100 * box.count / root.count, name))
    print('wrote ' + a.out)
    return 0


if __name__ == '__main__':
    sys.exit(main())
