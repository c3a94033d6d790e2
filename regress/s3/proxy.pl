#!/usr/bin/perl
# A proxy before an S3 server that makes mistakes on request, and writes
# down what it was asked.  One process for each connection.
#
#	proxy.pl PORT UPSTREAM-PORT DIR
#
# PORT may be 0; "listening on 127.0.0.1 port N" tells.  DIR/requests.log
# gets the head of each request as it came, and a line "# METHOD TARGET
# status=N up=N down=N" when it has ended.  DIR/fault holds mistakes, a
# line each, of which the first that matches is made:
#
#	TIMES PATTERN MISTAKE ARGUMENTS
#
# TIMES counts down to 0; PATTERN is a regular expression for "METHOD
# TARGET" (without spaces; \s).  Mistakes:
#
#	error STATUS CODE [HEADER: VALUE]	instead of an answer
#	header NAME STATUS CODE		the same, if the request has it
#	reset BYTES			of the body are passed, then none
#	truncate BYTES			of the answer's body
#	lose				the answer, whole
#	etag				another one than the server's
#	clock SECONDS			the server's clock is so much ahead
#	region NAME			is the only one that is accepted
#	canned FILE			the bytes in DIR/FILE as the answer
#	delay SECONDS
use strict;
use warnings;
use Fcntl qw(:flock);
use IO::Socket::INET;
use POSIX ();
use Socket qw(SOL_SOCKET SO_LINGER);

my ($port, $upstream, $dir) = @ARGV;
defined $dir or die "usage: proxy.pl PORT UPSTREAM-PORT DIR\n";
my $listen = IO::Socket::INET->new(LocalAddr => '127.0.0.1',
    LocalPort => $port, Listen => 64, ReuseAddr => 1) or die "listen: $!";
$| = 1;
printf "listening on 127.0.0.1 port %d\n", $listen->sockport;
$SIG{CHLD} = 'IGNORE';
$SIG{PIPE} = 'IGNORE';

# What to do with this request: the mistake's words, or none.
sub mistake {
	my ($what) = @_;
	open(my $f, '+<', "$dir/fault") or return;
	flock($f, LOCK_EX);
	my (@lines, @found);
	while (my $line = <$f>) {
		my ($times, $pattern, $rest) = split ' ', $line, 3;
		if (!@found && $times > 0 && $what =~ /$pattern/) {
			@found = split ' ', $rest;
			$line = ($times - 1) . " $pattern $rest";
		}
		push @lines, $line;
	}
	seek($f, 0, 0);
	print $f @lines;
	truncate($f, tell($f));
	close($f);
	return @found;
}
sub record {
	open(my $f, '>>', "$dir/requests.log") or die "requests.log: $!";
	flock($f, LOCK_EX);
	print $f @_;
	close($f);
}
sub read_head {
	my ($s, $buffer) = @_;
	while (index($$buffer, "\r\n\r\n") < 0) {
		sysread($s, $$buffer, 65536, length $$buffer) or return;
	}
	my $n = index($$buffer, "\r\n\r\n") + 4;
	return substr($$buffer, 0, $n, '');
}
sub header {
	my ($head, $name) = @_;
	return $head =~ /^\Q$name\E:\s*(.*?)\r$/mi ? $1 : undef;
}
sub send_all {
	my ($s, $bytes) = @_;
	while (length $bytes) {
		my $n = syswrite($s, $bytes);
		return 0 unless defined $n;
		substr($bytes, 0, $n, '');
	}
	return 1;
}
# Passes $n bytes (undef: to the end) on, $most of them; how many were.
sub pass {
	my ($from, $to, $buffer, $n, $most) = @_;
	my $passed = 0;
	while (!defined $n || $n > 0) {
		if (!length $$buffer) {
			sysread($from, $$buffer, 262144) or last;
		}
		my $len = length $$buffer;
		$len = $n if defined $n && $n < $len;
		my $part = substr($$buffer, 0, $len, '');
		$n -= $len if defined $n;
		if (defined $most && $passed + length $part > $most) {
			send_all($to, substr($part, 0, $most - $passed)) if $to;
			return $most;
		}
		$passed += length $part;
		last if $to && !send_all($to, $part);
	}
	return $passed;
}
sub reset_connection {
	my ($s) = @_;
	setsockopt($s, SOL_SOCKET, SO_LINGER, pack('ii', 1, 0));
	close($s);
	exit 0;
}
sub error_answer {
	my ($method, $status, $code, @headers) = @_;
	my $body = $method eq 'HEAD' ? '' : "<?xml version=\"1.0\"?>\n<Error>" .
	    "<Code>$code</Code><Message>the proxy says so</Message></Error>";
	return "HTTP/1.1 $status Mistake\r\n" . join('', map { "$_\r\n" }
	    @headers) . "Content-Length: " . length($body) . "\r\n\r\n$body";
}
sub date { return POSIX::strftime('%a, %d %b %Y %H:%M:%S GMT', gmtime $_[0]) }

# An answer of the proxy's own to this request, or nothing.
sub own_answer {
	my ($method, $head, $m, @a) = @_;
	if ($m eq 'error') {
		my ($status, $code, @h) = @a;
		return error_answer($method, $status, $code,
		    @h ? join(' ', @h) : ());
	}
	if ($m eq 'header') {
		return defined header($head, $a[0]) ?
		    error_answer($method, @a[1, 2]) : ();
	}
	if ($m eq 'clock') {
		my $at = POSIX::strftime('%Y%m%dT%H%M', gmtime(time + $a[0]));
		my $ok = index(header($head, 'x-amz-date') // '', $at) == 0;
		return "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n" if $ok;
		return error_answer($method, 403, 'RequestTimeTooSkewed',
		    'Date: ' . date(time + $a[0]));
	}
	if ($m eq 'region') {
		my $ok = (header($head, 'authorization') // '') =~
		    m{/\Q$a[0]\E/s3/};
		return "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n" if $ok;
		return error_answer($method, 400,
		    'AuthorizationHeaderMalformed',
		    "x-amz-bucket-region: $a[0]");
	}
	if ($m eq 'canned') {
		open(my $f, '<', "$dir/$a[0]") or die "$a[0]: $!";
		local $/;
		return <$f>;
	}
	return;
}

sub serve {
	my ($client) = @_;
	my $in = '';
	while (defined(my $head = read_head($client, \$in))) {
		my ($method, $target) = split ' ', $head;
		my $size = header($head, 'content-length') // 0;
		my ($m, @a) = mistake("$method $target");
		$m //= '';
		record($head);
		sleep($a[0]) if $m eq 'delay';
		if (defined(my $own = own_answer($method, $head, $m, @a))) {
			my $up = pass($client, undef, \$in, $size);
			send_all($client, $own);
			my ($status) = $own =~ m{^HTTP/1.1 (\d+)};
			record(sprintf("# %s %s status=%s up=%d down=%d own\n",
			    $method, $target, $status, $up, length $own));
			last unless $own =~ /^content-length:/mi;
			next;
		}
		# One for each request, so that the end is where it closes.
		my $server = IO::Socket::INET->new(
		    PeerAddr => "127.0.0.1:$upstream") or last;
		my $back = '';
		send_all($server, $head =~ s/\r\n\r\n$/\r\nConnection: close\r\n\r\n/r);
		my $up = pass($client, $server, \$in, $size,
		    $m eq 'reset' ? $a[0] : undef);
		if ($m eq 'reset') {
			record("# $method $target status=0 up=$up down=0\n");
			reset_connection($client);
		}
		my $answer = read_head($server, \$back) // last;
		my ($status) = $answer =~ m{^HTTP/1.\d (\d+)};
		my $length = header($answer, 'content-length');
		$length = 0 if $method eq 'HEAD' || $status == 204;
		$answer =~ s/^etag:.*?\r$/ETag: "@{['0' x 32]}"\r/mi
		    if $m eq 'etag';
		$answer =~ s/^connection:.*?\r\n//mi;
		if ($m eq 'lose') {
			pass($server, undef, \$back, $length);
			record("# $method $target status=0 up=$up down=0\n");
			reset_connection($client);
		}
		send_all($client, $answer);
		my $down = pass($server, $client, \$back, $length,
		    $m eq 'truncate' ? $a[0] : undef);
		record("# $method $target status=$status up=" .
		    ($up + length $head) . " down=" .
		    ($down + length $answer) . "\n");
		last if $m eq 'truncate' || (!defined $length &&
		    $answer !~ /^transfer-encoding:\s*chunked/mi);
	}
	exit 0;
}

while (1) {
	my $client = $listen->accept or next;
	my $pid = fork;
	die "fork: $!" unless defined $pid;
	if ($pid == 0) {
		close($listen);
		serve($client);
	}
	close($client);
}
