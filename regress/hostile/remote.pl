#!/usr/bin/perl
# A remote that means harm: remote.pl PORT FOLDER.  The file FOLDER/mode says
# what it does with the next request; "serve" gives the file FOLDER/ID for a
# download of ID.  One process for each connection; the key that came is
# noted in FOLDER/keys.
use strict;
use warnings;
use IO::Socket::INET;
use Compress::Zlib ();

my ($port, $dir) = @ARGV;
$SIG{CHLD} = 'IGNORE';
$SIG{PIPE} = sub { exit 0 };
my $l = IO::Socket::INET->new(LocalAddr => '127.0.0.1', LocalPort => $port,
    Listen => 64, ReuseAddr => 1) or die "port $port: $!";

sub slurp {
	open(my $f, '<:raw', $_[0]) or return undef;
	local $/;
	return scalar <$f>;
}

my $zeros = "\0" x 65536;
my %modes = (
	'endless-body' => sub {
		print {$_[0]} "HTTP/1.1 200 OK\r\n\r\n";
		print {$_[0]} $zeros while 1;
	},
	'endless-chunks' => sub {
		print {$_[0]} "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
		print {$_[0]} "10000\r\n$zeros\r\n" while 1;
	},
	'endless-refusal' => sub {
		print {$_[0]} "HTTP/1.1 500 Oops\r\n\r\n";
		print {$_[0]} $zeros while 1;
	},
	'endless-headers' => sub {
		print {$_[0]} "HTTP/1.1 200 OK\r\n";
		print {$_[0]} "X-A: " . ('b' x 8000) . "\r\n" while 1;
	},
	'endless-header' => sub {
		print {$_[0]} "HTTP/1.1 200 OK\r\nX-A: ";
		print {$_[0]} 'b' x 65536 while 1;
	},
	'endless-continue' => sub {
		print {$_[0]} "HTTP/1.1 100 Continue\r\n\r\n" while 1;
	},
	'drip' => sub {
		print {$_[0]} "HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n";
		while (1) { print {$_[0]} 'x'; select(undef, undef, undef, 0.1); }
	},
	'drip-head' => sub {
		print {$_[0]} "HTTP/1.1 200 OK\r\nX-A: ";
		while (1) { print {$_[0]} 'x'; select(undef, undef, undef, 0.1); }
	},
	'long-length' => sub {
		print {$_[0]} "HTTP/1.1 200 OK\r\nContent-Length: 9223372036854775807\r\n\r\nabc";
	},
	'huge-length' => sub {
		print {$_[0]} "HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999999999\r\n\r\nabc";
	},
	'negative-length' => sub {
		print {$_[0]} "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\nabc";
	},
	'two-lengths' => sub {
		print {$_[0]} "HTTP/1.1 200 OK\r\nContent-Length: 3\r\nContent-Length: 5\r\n\r\nabcde";
	},
	'short-length' => sub {
		print {$_[0]} "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nabc";
	},
	'bad-chunk' => sub {
		print {$_[0]} "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\nabc";
	},
	'bomb' => sub {
		my $z = Compress::Zlib::memGzip($zeros x 160);
		print {$_[0]} "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: " . length($z) . "\r\n\r\n$z";
	},
	'bomb-transfer' => sub {
		my $z = Compress::Zlib::memGzip($zeros x 160);
		print {$_[0]} "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n" . sprintf("%x\r\n", length($z)) . "$z\r\n0\r\n\r\n";
	},
	'redirect' => sub {
		print {$_[0]} "HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:$_[1]/x\r\nContent-Length: 0\r\n\r\n";
	},
	'redirect-file' => sub {
		print {$_[0]} "HTTP/1.1 302 Found\r\nLocation: file:///etc/passwd\r\nContent-Length: 0\r\n\r\n";
	},
	'filename' => sub {
		print {$_[0]} "HTTP/1.1 200 OK\r\nContent-Disposition: attachment; filename=\"../../../../tmp/evil\"\r\nContent-Length: 3\r\n\r\nabc";
	},
	'nothing' => sub { },
	'junk' => sub { print {$_[0]} "\0\xff" x 1000; },
	'types' => sub {
		my $j = '{"success":"yes","backups":[{"backupId":{"a":1},"fileSize":"x","createdAt":[]},7,null,{"backupId":["../x"]},{"backupId":"a\\u0000b"},{"backupId":"../../etc"},{"backupId":1e999},{"backupId":"ok-1","fileSize":-5,"createdAt":"yesterday","backupName":{"$ne":1}}],"backupId":{"$gt":""}}';
		print {$_[0]} "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: " . length($j) . "\r\n\r\n$j";
	},
	'deep' => sub {
		my $j = '[' x 1000000;
		print {$_[0]} "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: " . length($j) . "\r\n\r\n$j";
	},
);

sub answer {
	my ($c) = @_;
	my $head = '';
	while (defined(my $line = <$c>)) {
		last if $line eq "\r\n";
		$head .= $line;
	}
	open(my $k, '>>', "$dir/keys");
	print {$k} "$1\n" if $head =~ /^x-api-key: *(\S*)/im;
	close $k;
	my ($mode, $arg) = split ' ', slurp("$dir/mode") // 'nothing';
	if ($mode eq 'serve' && $head =~ m{^GET \S*/download/([a-z0-9-]+) }) {
		my $b = slurp("$dir/$1");
		if (defined $b) {
			print {$c} "HTTP/1.1 200 OK\r\nContent-Type: application/x-sqlite3\r\nContent-Length: " . length($b) . "\r\nConnection: close\r\n\r\n$b";
			return;
		}
	}
	my $m = $modes{$mode};
	if (!$m) {
		print {$c} "HTTP/1.1 404 Not Found\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}";
		return;
	}
	$m->($c, $arg);
}

if (($ARGV[2] // '') eq 'modes') { print join(' ', sort keys %modes), "\n"; exit; }
while (1) {
	my $c = $l->accept or next;
	my $pid = fork;
	if (!$pid) {
		close $l;
		$c->autoflush(1);
		answer($c);
		close $c;
		exit 0;
	}
	close $c;
}
