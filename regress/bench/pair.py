"""Rounds, ratios and the table.

Ours and the other run in turn, A B A B; a ratio is taken within a round, so
that what the machine does at that time hits both.  The median of the ratios
is what is compared with the goal; the least and the greatest stand beside.
"""
import statistics


def percentile(values, share):
    """The smallest value that so much of all is not above."""
    ordered = sorted(values)
    if not ordered:
        return float('nan')
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]


def in_turn(rounds, ours, other, warm=1):
    """Pairs of what both gave, after so many rounds that do not count."""
    pairs = []
    for n in range(-warm, rounds):
        pair = (ours(), other())
        if n >= 0:
            pairs.append(pair)
    return pairs


def amount(value, unit):
    """A figure for people, with its unit."""
    if value is None:
        return ''
    if unit == 's':
        if abs(value) < 0.001:
            return '%.0f µs' % (value * 1e6)
        if abs(value) < 0.1:
            return '%.1f ms' % (value * 1e3)
        return '%.2f s' % value
    if abs(value) >= 100:
        text = '%.0f' % value
    else:
        text = '%.3g' % value
    return text + (' ' + unit if unit else '')


class Row:
    """One line of the table.

    values are what is compared with the goal, one for each round; sense is
    '>=' or '<=', or '' where there is no goal.  ours and other are absolute
    figures of each round, in units of their own.
    """

    def __init__(self, work, against, sense='', goal=None, unit='x',
                 figure='s', note=''):
        self.work, self.against = work, against
        self.sense, self.goal, self.unit = sense, goal, unit
        self.figure, self.note = figure, note
        self.values, self.ours, self.other = [], [], []
        self.missing = None

    def add(self, value, ours=None, other=None):
        self.values.append(value)
        if ours is not None:
            self.ours.append(ours)
        if other is not None:
            self.other.append(other)
        return self

    def median(self):
        return statistics.median(self.values)

    def verdict(self):
        if self.missing:
            return 'not run'
        if not self.sense:
            return ''
        value = self.median()
        met = value >= self.goal if self.sense == '>=' else \
            value <= self.goal
        return 'yes' if met else 'NO'

    def cells(self):
        goal = ''
        plain = '' if self.unit.startswith('x') else self.unit
        if self.sense:
            goal = '%s %s' % ({'>=': '≥', '<=': '≤'}[self.sense],
                              amount(self.goal, self.unit))
        if self.missing:
            return [self.work, self.against, '', '', '', '', goal, 'not run',
                    self.missing]
        return [self.work, self.against,
                amount(statistics.median(self.ours), self.figure)
                if self.ours else '',
                amount(statistics.median(self.other), self.figure)
                if self.other else '',
                amount(self.median(), self.unit),
                '%s – %s' % (amount(min(self.values), plain),
                             amount(max(self.values), plain))
                if len(self.values) > 1 else '',
                goal, self.verdict(), self.note]


HEADS = ['work', 'against', 'ours', 'other', 'median', 'min – max', 'goal',
         'reached', 'beside it']


def text_table(rows):
    """For a terminal; without the notes, which follow it."""
    lines = [HEADS[:8]] + [row.cells()[:8] for row in rows]
    width = [max(len(line[i]) for line in lines) for i in range(8)]
    return '\n'.join('  '.join(cell.ljust(width[i])
                               for i, cell in enumerate(line)).rstrip()
                     for line in lines)


def markdown_table(rows):
    lines = ['| ' + ' | '.join(HEADS) + ' |', '|' + ' --- |' * len(HEADS)]
    for row in rows:
        lines.append('| ' + ' | '.join(c.replace('|', '\\|')
                                       for c in row.cells()) + ' |')
    return '\n'.join(lines)
