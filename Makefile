# cloudbackupd.  `make demo` shows it, `make check` tests it; both install
# what is missing first (`make deps`).  Objects and programs go to build/.

VERSION =	0.1.0
PREFIX ?=	/usr/local
SBINDIR ?=	$(PREFIX)/sbin
LIBEXECDIR ?=	$(PREFIX)/libexec/cloudbackupd
MANDIR ?=	$(PREFIX)/share/man
EXAMPLEDIR ?=	$(PREFIX)/share/examples/cloudbackupd
BASHDIR ?=	$(PREFIX)/share/bash-completion/completions
ZSHDIR ?=	$(PREFIX)/share/zsh/vendor-completions
UNITDIR ?=	$(PREFIX)/lib/systemd/system
SYSUSERSDIR ?=	$(PREFIX)/lib/sysusers.d
TMPFILESDIR ?=	$(PREFIX)/lib/tmpfiles.d

B ?=		build
CC ?=		cc
YACC ?=		bison -y
PKG_CONFIG ?=	pkg-config
OPT ?=		-O2 -g
SAN ?=

SYSTEM :=	$(shell uname -s | tr '[:upper:]' '[:lower:]')
WARN =		-Wall -Wextra -Wshadow -Wstrict-prototypes \
		-Wmissing-prototypes -Wpointer-arith -Werror
CPPFLAGS +=	-I. -D_GNU_SOURCE -D_FILE_OFFSET_BITS=64 \
		-DVERSION='"$(VERSION)"' -DLIBEXECDIR='"$(LIBEXECDIR)"'
CFLAGS ?=	$(OPT)
ALL_CFLAGS =	-std=c11 $(WARN) $(HARDEN) $(CFLAGS) $(SAN) -pthread
ALL_LDFLAGS =	$(LDFLAGS) $(HARDEN_LD) $(SAN) -pthread -Wl,--as-needed

# Against what a bug would let somebody do; each that the compiler knows.
# The sanitizers bring what FORTIFY would, and -O0 has none of it.
cc_knows =	$(shell echo 'int main(void) { return (0); }' | \
		$(CC) $(1) -Werror -x c -o /dev/null - 2>/dev/null && \
		echo '$(1)')
HARDEN :=	-fPIE -fstack-protector-strong \
		$(call cc_knows,-fstack-clash-protection) \
		$(call cc_knows,-fcf-protection) \
		$(call cc_knows,-fzero-call-used-regs=used-gpr) \
		$(if $(SAN)$(findstring -O0,$(CFLAGS)),,-U_FORTIFY_SOURCE \
		-D_FORTIFY_SOURCE=2)
HARDEN_LD =	-pie -Wl,-z,relro -Wl,-z,now -Wl,-z,noexecstack

pkg =		$(shell $(PKG_CONFIG) --libs $(1) 2>/dev/null)
LIBS_engine =	$(call pkg,libevent_core sqlite3 libmd libbsd)
LIBS_front =	$(call pkg,libevent_core libevent_openssl json-c libssl libcrypto \
		    libbsd)
LIBS_network =	$(call pkg,libevent_core libcurl json-c libcrypto libbsd)
LIBS_ctl =	$(call pkg,libcurl json-c libmd libbsd)
# The hashes of pages are computed under a lock; the library may know which
# instructions this processor has, but says so in a header of its own.
xxh_dispatch :=	$(shell echo 'int main(void) { return (XXH3_64bits("", 0) == 0); }' | \
		$(CC) -include xxh_x86dispatch.h -x c -o /dev/null - -lxxhash \
		2>/dev/null && echo -DXXH_DISPATCH)
CPPFLAGS +=	$(xxh_dispatch)
LIBS_looker =	$(call pkg,libbsd)
LIBS_worker =	$(call pkg,sqlite3 libcrypto libzstd libxxhash libbsd)

# Code that depends on the system: one file per system and subject.
sandbox_src :=	$(firstword $(wildcard common/sandbox_$(SYSTEM).c) \
		    common/sandbox_none.c)
common_src :=	$(filter-out $(wildcard common/*_linux.c common/*_openbsd.c \
		    common/*_freebsd.c common/sandbox_none.c common/try.c), \
		    $(wildcard common/*.c)) \
		$(sort $(wildcard common/*_$(SYSTEM).c) $(sandbox_src))
# A build for regress/t/walls_try.t only: processes that try what they must
# not be able to do.
ifneq ($(TRY),)
CPPFLAGS +=	-DTRY_WALLS
common_src +=	common/try.c
endif
# One whose wall clock follows a file, for tests of what takes days.
ifneq ($(CLOCK),)
CPPFLAGS +=	-DTEST_CLOCK
endif
proto_src :=	$(wildcard proto/*.c)
engine_src :=	$(wildcard daemon/engine/*.c)
front_src :=	$(wildcard daemon/front/*.c)
network_src :=	$(wildcard daemon/network/*.c)
worker_src :=	$(filter-out %/looker.c,$(wildcard daemon/worker/*.c))
# Of the worker what looks, and no library that parses.
looker_src :=	$(patsubst %,daemon/worker/%.c,fail look looker signature)
ctl_src :=	$(wildcard ctl/*.c)

obj =		$(patsubst %.c,$(B)/obj/%.o,$(1))
common_obj :=	$(call obj,$(common_src) $(proto_src))
# The worker and the looker have no event loop.
worker_common :=	$(filter-out %/chan_event.o,$(common_obj))
engine_obj :=	$(call obj,$(engine_src)) $(B)/obj/daemon/engine/parse.o
front_obj :=	$(call obj,$(front_src))
network_obj :=	$(call obj,$(network_src))
worker_obj :=	$(call obj,$(worker_src))
looker_obj :=	$(call obj,$(looker_src))
ctl_obj :=	$(call obj,$(ctl_src) common/util.c common/clock.c common/log.c common/compat.c \
		    proto/errors.c)

HELPERS =	$(B)/cloudbackupd-front $(B)/cloudbackupd-network \
		$(B)/cloudbackupd-worker $(B)/cloudbackupd-looker
PROGRAMS =	$(B)/cloudbackupd $(HELPERS) $(B)/cloudbackupctl

all: $(PROGRAMS)

$(B)/cloudbackupd: $(engine_obj) $(common_obj)
	$(CC) $(ALL_LDFLAGS) -o $@ $^ $(LIBS_engine)
$(B)/cloudbackupd-front: $(front_obj) $(common_obj)
	$(CC) $(ALL_LDFLAGS) -o $@ $^ $(LIBS_front)
$(B)/cloudbackupd-network: $(network_obj) $(common_obj)
	$(CC) $(ALL_LDFLAGS) -o $@ $^ $(LIBS_network)
$(B)/cloudbackupd-worker: $(worker_obj) $(worker_common)
	$(CC) $(ALL_LDFLAGS) -o $@ $^ $(LIBS_worker)

$(B)/cloudbackupd-looker: $(looker_obj) $(worker_common)
	$(CC) $(ALL_LDFLAGS) -o $@ $^ $(LIBS_looker)

$(B)/cloudbackupctl: $(ctl_obj)
	$(CC) $(ALL_LDFLAGS) -o $@ $^ $(LIBS_ctl)

$(B)/obj/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(ALL_CFLAGS) -MMD -MP -c -o $@ $<

# What yacc writes is not ours to warn about.
$(B)/obj/daemon/engine/parse.c: daemon/engine/parse.y
	@mkdir -p $(@D)
	$(YACC) -o $@ $<
$(B)/obj/daemon/engine/parse.o: $(B)/obj/daemon/engine/parse.c
	$(CC) $(CPPFLAGS) $(ALL_CFLAGS) -Idaemon/engine -Wno-shadow \
	    -Wno-missing-prototypes -MMD -MP -c -o $@ $<

include regress/Makefile.inc

# Manuals name the paths that this build has.
MANUALS =	$(notdir $(wildcard man/*.[1-9]))
man_fix =	-e 's,/usr/local/libexec/cloudbackupd,$(LIBEXECDIR),g' \
		-e 's,/usr/local/share/examples/cloudbackupd,$(EXAMPLEDIR),g'

# What systemd reads, with the paths of this build.
define install_systemd
install -d $(DESTDIR)$(UNITDIR) $(DESTDIR)$(SYSUSERSDIR) \
	    $(DESTDIR)$(TMPFILESDIR)
	sed 's,/usr/local/sbin,$(SBINDIR),' systemd/cloudbackupd.service \
	    >$(DESTDIR)$(UNITDIR)/cloudbackupd.service
	install -m 644 systemd/cloudbackupd.sysusers \
	    $(DESTDIR)$(SYSUSERSDIR)/cloudbackupd.conf
	install -m 644 systemd/cloudbackupd.tmpfiles \
	    $(DESTDIR)$(TMPFILESDIR)/cloudbackupd.conf
endef

install: all
	install -d $(DESTDIR)$(SBINDIR) $(DESTDIR)$(LIBEXECDIR) \
	    $(DESTDIR)$(EXAMPLEDIR)
	install -m 755 $(B)/cloudbackupd $(B)/cloudbackupctl \
	    $(DESTDIR)$(SBINDIR)/
	install -m 755 $(HELPERS) $(DESTDIR)$(LIBEXECDIR)/
	install -m 644 etc/cloudbackupd.conf etc/prometheus-alerts.yml \
	    etc/grafana-dashboard.json $(DESTDIR)$(EXAMPLEDIR)/
	install -d $(DESTDIR)$(BASHDIR) $(DESTDIR)$(ZSHDIR)
	$(B)/cloudbackupctl completion bash \
	    >$(DESTDIR)$(BASHDIR)/cloudbackupctl
	$(B)/cloudbackupctl completion zsh \
	    >$(DESTDIR)$(ZSHDIR)/_cloudbackupctl
	$(if $(filter linux,$(SYSTEM)),$(install_systemd))
	for m in $(MANUALS); do \
		d=$(DESTDIR)$(MANDIR)/man$${m##*.} && install -d $$d && \
		sed $(man_fix) man/$$m >$$d/$$m && chmod 644 $$d/$$m || \
		exit 1; \
	done

# What was installed; configuration and backups stay.
uninstall:
	rm -f $(DESTDIR)$(SBINDIR)/cloudbackupd \
	    $(DESTDIR)$(SBINDIR)/cloudbackupctl \
	    $(addprefix $(DESTDIR)$(LIBEXECDIR)/,$(notdir $(HELPERS))) \
	    $(DESTDIR)$(EXAMPLEDIR)/cloudbackupd.conf \
	    $(DESTDIR)$(EXAMPLEDIR)/prometheus-alerts.yml \
	    $(DESTDIR)$(EXAMPLEDIR)/grafana-dashboard.json \
	    $(DESTDIR)$(BASHDIR)/cloudbackupctl \
	    $(DESTDIR)$(ZSHDIR)/_cloudbackupctl \
	    $(DESTDIR)$(UNITDIR)/cloudbackupd.service \
	    $(DESTDIR)$(SYSUSERSDIR)/cloudbackupd.conf \
	    $(DESTDIR)$(TMPFILESDIR)/cloudbackupd.conf
	for m in $(MANUALS); do \
		rm -f $(DESTDIR)$(MANDIR)/man$${m##*.}/$$m; \
	done
	-rmdir $(DESTDIR)$(LIBEXECDIR) $(DESTDIR)$(EXAMPLEDIR) 2>/dev/null

# The sources as they are in the work tree, less what git does not know.
NAME_VERSION =	cloudbackupd-$(VERSION)
dist:
	@mkdir -p $(B)
	git ls-files -z | tar -cz --null -T - \
	    --transform 's,^,$(NAME_VERSION)/,' --owner=0 --group=0 \
	    -f $(B)/$(NAME_VERSION).tar.gz
	@echo $(B)/$(NAME_VERSION).tar.gz

# A Debian package, in $(B)/deb; lintian, where it is, looks at it.
deb: dist
	rm -rf $(B)/deb && mkdir -p $(B)/deb
	tar -xzf $(B)/$(NAME_VERSION).tar.gz -C $(B)/deb
	cd $(B)/deb/$(NAME_VERSION) && dpkg-buildpackage -us -uc -b
	if command -v lintian >/dev/null; then \
		lintian --fail-on error,warning $(B)/deb/*.changes; fi
	@ls $(B)/deb/*.deb

# One for systems with rpm, in $(B)/rpm.  Elsewhere rpm does not know what
# is installed: hence --nodeps.
rpm: dist
	rm -rf $(B)/rpm && mkdir -p $(B)/rpm/SOURCES $(B)/rpm/SPECS
	cp $(B)/$(NAME_VERSION).tar.gz $(B)/rpm/SOURCES/
	sed 's/@VERSION@/$(VERSION)/' rpm/cloudbackupd.spec \
	    >$(B)/rpm/SPECS/cloudbackupd.spec
	rpmbuild -bb --nodeps --define "_topdir $(abspath $(B))/rpm" \
	    $(B)/rpm/SPECS/cloudbackupd.spec
	@find $(B)/rpm/RPMS -name '*.rpm'

clean:
	rm -rf build build-*

.PHONY: all install uninstall dist deb rpm clean
-include $(shell find $(B)/obj -name '*.d' 2>/dev/null)
