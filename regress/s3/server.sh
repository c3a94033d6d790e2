#!/bin/sh
# A real S3 server for the tests: OpenStack Swift with its S3 middleware,
# on one node, from Debian packages, on loopback only.  It verifies
# signatures and the hashes of payloads.  Its data are in DIR, on a file
# system that knows extended attributes.
#
#	server.sh start DIR PORT	prints what to use when it is ready
#	server.sh token DIR PORT	for Swift's own API, a second look at
#			the same data: X-Auth-Token for PORT/v1/AUTH_test/...
#	server.sh stop DIR
#
# PORT and the four after it are used.  Exit status 2: Swift is missing.
set -eu
[ $# -ge 2 ] || { sed -n '2,13s/^# \{0,1\}//p' "$0" >&2; exit 1; }
what=$1 dir=$2 port=${3:-18480}
bucket_user=test:tester secret=testing region=us-east-1

stop() {
	for f in "$dir"/run/*.pid; do
		[ -f "$f" ] || continue
		kill "$(cat "$f")" 2>/dev/null || :
		rm -f "$f"
	done
}
# run NAME COMMAND...: in the background, until stop.
run() {
	name=$1
	shift
	"$@" >"$dir/log/$name.log" 2>&1 </dev/null &
	echo $! >"$dir/run/$name.pid"
}
# One replica of everything, on one device.
ring() {
	swift-ring-builder "$1.builder" create 4 1 0
	swift-ring-builder "$1.builder" add "r1z1-127.0.0.1:$2/d1" 1
	swift-ring-builder "$1.builder" rebalance
} >/dev/null
defaults() {
	cat <<-X
	[DEFAULT]
	bind_ip = 127.0.0.1
	bind_port = $1
	workers = 0
	user = $(id -un)
	swift_dir = $dir/etc
	log_level = WARNING
	X
}
backend() {
	[ -f "$1.ring.gz" ] || ring "$1" "$2"
	defaults "$2" >"$1.conf"
	cat >>"$1.conf" <<-X
	devices = $dir/dev
	mount_check = false
	recon_cache_path = $dir/cache
	fallocate_reserve = 0
	[pipeline:main]
	pipeline = $1-server
	[app:$1-server]
	use = egg:swift#$1
	X
}
filter() { printf '[filter:%s]\nuse = egg:swift#%s\n' "$1" "${2:-$1}"; }

if [ "$what" = stop ]; then
	stop
	exit 0
fi
if [ "$what" = token ]; then
	# Its cache, where tokens are, may be a little later than itself.
	for i in 1 2 3 4 5 6 7 8 9 10; do
		token=$(curl -s -D - -o /dev/null \
		    -H "X-Auth-User: $bucket_user" -H "X-Auth-Key: $secret" \
		    "http://127.0.0.1:$port/auth/v1.0" | tr -d '\r' |
		    sed -n 's/^X-Auth-Token: //ip')
		[ -z "$token" ] || { echo "$token"; exit; }
		sleep 1
	done
	exit 1
fi
for p in swift-ring-builder swift-proxy-server swift-account-server \
    swift-container-server swift-object-server memcached; do
	command -v "$p" >/dev/null || { echo "no $p" >&2; exit 2; }
done
mkdir -p "$dir/run" "$dir/dev/d1" "$dir/etc" "$dir/log" "$dir/cache"
dir=$(cd "$dir" && pwd)
cd "$dir/etc"
cat >swift.conf <<X
[swift-hash]
swift_hash_path_suffix = s
swift_hash_path_prefix = p
[storage-policy:0]
name = default
default = yes
X
backend container $((port + 1))
backend account $((port + 2))
backend object $((port + 3))
{
	defaults "$port"
	echo "[pipeline:main]"
	echo "pipeline = catch_errors gatekeeper healthcheck cache" \
	    "listing_formats bulk s3api tempauth slo dlo versioned_writes" \
	    "proxy-server"
	printf '[app:proxy-server]\nuse = egg:swift#proxy\n'
	printf 'account_autocreate = true\nallow_account_management = false\n'
	for f in catch_errors gatekeeper healthcheck listing_formats bulk \
	    slo dlo versioned_writes; do
		filter $f
	done
	filter cache memcache
	echo "memcache_servers = 127.0.0.1:$((port + 4))"
	filter s3api
	printf 'location = %s\nauth_pipeline_check = false\n' $region
	echo "storage_domain = localhost"
	echo "min_segment_size = 5242880"
	# Few a page, so that lists go on.
	printf 'max_bucket_listing = 40\nmax_parts_listing = 3\n'
	filter tempauth
	echo "user_$(echo $bucket_user | tr : _) = $secret .admin"
} >proxy.conf
stop
run memcached memcached -l 127.0.0.1 -p $((port + 4)) -U 0 -m 16 -u nobody
for n in account container object proxy; do
	run $n swift-$n-server $n.conf verbose
done
i=0
until [ "$(curl -s -m 2 "http://127.0.0.1:$port/healthcheck")" = OK ]; do
	i=$((i + 1))
	if [ $i -gt 100 ]; then
		echo "server.sh: it does not start" >&2
		tail -5 "$dir"/log/*.log >&2
		stop
		exit 1
	fi
	sleep 0.1
done
echo "http://127.0.0.1:$port $bucket_user $secret $region"
