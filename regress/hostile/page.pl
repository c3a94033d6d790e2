#!/usr/bin/perl
# A web site: page.pl PORT FOLDER.  A GET is answered with the file of that
# name in FOLDER; what is posted is appended to FOLDER/reports, a line each.
use strict;
use warnings;
use IO::Socket::INET;

my ($port, $dir) = @ARGV;
$SIG{CHLD} = 'IGNORE';
my $l = IO::Socket::INET->new(LocalAddr => '127.0.0.1', LocalPort => $port,
    Listen => 16, ReuseAddr => 1) or die "port $port: $!";

sub answer {
	my ($c, $status, $body) = @_;
	print $c "HTTP/1.1 $status\r\nContent-Type: text/html\r\n",
	    'Content-Length: ', length($body),
	    "\r\nCache-Control: no-store\r\nConnection: close\r\n\r\n", $body;
}

sub serve {
	my ($c) = @_;
	my $line = <$c> // return;
	my ($method, $path) = $line =~ m{^(GET|POST) /([a-z]*)} or return;
	my $length = 0;
	while (defined(my $field = <$c>)) {
		last if $field =~ /^\r?$/;
		$length = $1 if $field =~ /^content-length:\s*(\d+)/i;
	}
	if ($method eq 'POST') {
		read($c, my $body, $length);
		open(my $f, '>>', "$dir/reports") or die;
		print $f "$body\n";
		close($f);
		return answer($c, '200 OK', '');
	}
	open(my $f, '<', "$dir/$path") or return answer($c, '404 None', '');
	local $/;
	answer($c, '200 OK', scalar <$f>);
}

while (1) {
	my $c = $l->accept or next;
	next if fork;
	close($l);		# the port may be wanted when the parent ends
	$c->autoflush(1);
	serve($c);
	exit 0;
}
