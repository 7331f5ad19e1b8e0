# SPDX-License-Identifier: MIT
# One file, no configure. A program is the .c files of its folders; adding a source never edits this.
# `make help` lists the targets. Variables: CC=clang  SAN=address,undefined | thread  WERROR=1  V=1

B       ?= build/$(notdir $(CC))$(if $(SAN),-$(subst $(comma),-,$(SAN)))
comma   := ,
CC      ?= gcc
ifeq ($(origin CC),default)
CC      := gcc
endif
PKGS    := libcurl libcjson yaml-0.1 libcrypto libarchive libssh2 libmicrohttpd gnutls
WARN    := -Wall -Wextra -Wshadow -Wmissing-prototypes -Wstrict-prototypes -Wformat=2 -Wvla -Wcast-qual \
           -Wwrite-strings -Wundef -Wno-missing-field-initializers -Wpointer-arith -Wimplicit-fallthrough \
           $(if $(WERROR),-Werror)
# Sanitizers look at each access either way; unoptimized they compile in a fifth of the time.
CFLAGS  ?= $(if $(SAN),-O0 -g,-O2 -g)
ALLFLAGS = -std=gnu17 $(CFLAGS) $(WARN) -D_GNU_SOURCE -D_FORTIFY_SOURCE=2 -fstack-protector-strong -fPIE \
           -DSLIPWAY_VERSION='"$(VERSION)"' -Iinstaller -I. \
           $(if $(SAN),-fsanitize=$(SAN) -fno-omit-frame-pointer -U_FORTIFY_SOURCE)
# The exported symbol: etcd/http.c says why.
LDALL    = $(LDFLAGS) -Wl,-z,relro,-z,now -Wl,--as-needed -Wl,--export-dynamic-symbol=_gnutls_global_init_skip \
           $(if $(SAN),-fsanitize=$(SAN))
VERSION := 0.1.0

LIBDIRS := installer/base installer/conf installer/crypto etcd installer/model installer/volumes installer/host \
           installer/engine installer/plan installer/env installer/check installer/remote
src      = $(wildcard $(1)/*.c)
obj      = $(patsubst %.c,$(B)/%.o,$(call src,$(1)))
lib      = $(B)/lib$(notdir $(1)).a
LIBS    := $(foreach d,$(LIBDIRS) installer/agent installer/controller,$(call lib,$(d)))

# Programs: what each links, top layer first.
slipway_dirs       := installer/cmd installer/remote installer/check installer/env installer/plan installer/engine \
                      installer/host installer/volumes installer/model etcd installer/crypto installer/conf \
                      installer/base
slipwayd_dirs      := installer/controller installer/check installer/env installer/plan installer/engine \
                      installer/host installer/volumes installer/model etcd installer/crypto installer/conf \
                      installer/base
slipway-agent_dirs := installer/agent installer/model etcd installer/crypto installer/conf installer/base
slipway-init_dirs  := installer/init installer/base
PROGRAMS           := $(foreach p,slipway slipwayd slipway-agent slipway-init,\
                        $(if $(call src,$(firstword $($(p)_dirs))),$(B)/$(p)))

# How libcurl is linked, scripts/dev/curl-parts says; sanitizers get the shared one.
CURL_HOW           := $(if $(SAN),,$(B)/curl/arguments)
CURL               := $(if $(SAN),-lcurl,@$(CURL_HOW))
CURL_SSH           := $(if $(SAN),-lcurl,@$(CURL_HOW).ssh) -lssh2
slipway_libs       := -pie $(CURL_SSH) -lncursesw -ltinfo -lcjson -lyaml -lcrypto -lpthread
slipwayd_libs      := -pie $(CURL_SSH) -lcjson -lyaml -lcrypto -lpthread -lmicrohttpd -lgnutls
slipway-agent_libs := -pie $(CURL) -lcjson -lyaml -lcrypto -lpthread
# PID 1 is static: it needs nothing of the image it runs in.
slipway-init_libs  := $(if $(SAN),-pie,-static-pie)

prefix  ?= /usr/local
DESTDIR ?=

.PHONY: all
all: $(PROGRAMS) ## build the programs

q = $(if $(V),,@printf '  %-5s %s\n' $(1) $(2);)

$(B)/%.o: %.c
	@mkdir -p $(@D)
	$(call q,CC,$<)$(CC) $(ALLFLAGS) -MMD -MP -c -o $@ $<

# What it has in it (base/embed.h) is not a header that the compiler would tell of: EMBEDDED.
$(B)/installer/check/inside.o: installer/check/inside.sh
$(B)/installer/cmd/completion.o: installer/cmd/completion_bash.sh installer/cmd/completion.fish
$(B)/installer/controller/openapi.o: installer/controller/schemas.json
$(B)/installer/env/copy_docker.o: installer/env/copy_inside.sh
$(B)/installer/host/copy.o: installer/host/put.sh

# The page's files are in the program: a list of them, and the program again when one changes.
WEB     := $(sort $(patsubst installer/controller/web/%,%,$(shell find installer/controller/web -type f 2>/dev/null)))
WEB_DEF := $(B)/include/controller/web.def
$(WEB_DEF): $(addprefix installer/controller/web/,$(WEB)) Makefile
	@mkdir -p $(@D)
	@n=0; : >$@; for f in $(WEB); do n=$$((n + 1)); echo "WEB($$n, \"$$f\")" >>$@; done
$(B)/installer/controller/web.o: $(WEB_DEF)
$(B)/installer/controller/%.o: ALLFLAGS += -I$(B)/include

define lib_rule
$(call lib,$(1)): $(call obj,$(1))
	@mkdir -p $$(@D); rm -f $$@
	$$(call q,AR,$$(@F))$(AR) rcs $$@ $$^
endef
$(foreach d,$(LIBDIRS) installer/cmd installer/agent installer/controller installer/init installer/libvolume,\
  $(eval $(call lib_rule,$(d))))

$(B)/curl/arguments: scripts/dev/curl-parts
	$(call q,CURL,$@)scripts/dev/curl-parts $(CC) $(@D)

define program_rule
$(B)/$(1): $(call obj,$(firstword $($(1)_dirs))) $(foreach d,$(wordlist 2,99,$($(1)_dirs)),$(call lib,$(d))) \
    $(CURL_HOW)
	$$(call q,LD,$(1))$(CC) $(LDALL) -o $$@ $$(filter %.o %.a,$$^) $($(1)_libs)
endef
$(foreach p,slipway slipwayd slipway-agent slipway-init,$(eval $(call program_rule,$(p))))

# libslipway-volume, for other people's programs; no program of ours links it. It is built where librbd's
# header is there (Debian: librbd-dev). The archive is one object whose internal names are local.
VOLUME_OBJS := $(call obj,installer/libvolume) $(B)/installer/base/volume_rules.o
VOLUME_LIB  := $(B)/libslipway-volume
VOLUME_SO   := $(VOLUME_LIB).so.0
VOLUME_LIBS := -lrbd -lrados -lpthread
HAVE_LIBRBD := $(shell $(CC) -E -include rbd/librbd.h -x c /dev/null >/dev/null 2>&1 && echo yes)
$(VOLUME_OBJS): ALLFLAGS += -fPIC -fvisibility=hidden

$(VOLUME_SO): $(VOLUME_OBJS) installer/libvolume/symbols.map
	$(call q,LD,$(@F))$(CC) -shared $(LDALL) $(if $(SAN),,-Wl$(comma)-z$(comma)defs) -Wl,-soname,$(@F) \
	  -Wl,--version-script=installer/libvolume/symbols.map -o $@ $(VOLUME_OBJS) $(VOLUME_LIBS)
	@ln -sf $(@F) $(VOLUME_LIB).so
$(VOLUME_LIB).a: $(VOLUME_OBJS)
	@rm -f $@; ld -r -o $(B)/slipway-volume.o $^
	$(call q,AR,$(@F))objcopy --localize-hidden $(B)/slipway-volume.o && $(AR) rcs $@ $(B)/slipway-volume.o
$(B)/slipway-volume.pc: installer/libvolume/slipway-volume.pc.in
	@sed -e 's,@prefix@,$(prefix),' -e 's,@version@,$(VERSION),' $< >$@
$(B)/slipway-volume.3: installer/libvolume/man.awk installer/libvolume/slipway-volume.h
	@awk -v version=$(VERSION) -f $^ >$@

.PHONY: library install-library
library: $(VOLUME_SO) $(VOLUME_LIB).a $(B)/slipway-volume.3 ## libslipway-volume, shared and static
all: $(if $(HAVE_LIBRBD),library)

# Unit tests: tests/unit/<name>_test.c is one cmocka program, linked with every library. A line
# "// wrap: f g" in the file replaces those functions (ld --wrap); "// fake: x" links tests/fake/x.c;
# "// link: installer/agent" adds a program's own folder, without its main; "// libs: -lx" adds libraries.
UNIT      := $(patsubst tests/unit/%.c,$(B)/unit/%,$(wildcard tests/unit/*_test.c))
LIBGROUP   = -Wl,--start-group $(LIBS) -Wl,--end-group
ALLLIBS   := -pie $(CURL_SSH) -lncursesw -ltinfo -lcjson -lyaml -lcrypto -larchive -lmicrohttpd -lgnutls -lpthread
marks      = $(shell sed -n 's,^// $(1): ,,p' $(2))
OWNDIRS   := installer/cmd installer/agent installer/controller installer/init installer/libvolume
OWNOBJS   := $(foreach d,$(OWNDIRS),$(call obj,$(d)))

$(B)/unit/%: tests/unit/%.c $(LIBS) $(OWNOBJS) $(wildcard tests/fake/*.c) $(wildcard tests/fake/*.h) | $(CURL_HOW)
	@mkdir -p $(@D)
	$(call q,UNIT,$*)$(CC) $(ALLFLAGS) -Itests -MMD -MP -MF $@.d -o $@ $< \
	  $(patsubst %,tests/fake/%.c,$(call marks,fake,$<)) \
	  $(patsubst %,-Wl$(comma)--wrap=%,$(call marks,wrap,$<)) \
	  $(filter-out %/main.o,$(foreach d,$(call marks,link,$<),$(call obj,$(d)))) \
	  $(LDALL) $(LIBGROUP) -lcmocka $(ALLLIBS) $(call marks,libs,$<)

# Programs of the integration tests: tests/integration/<name>.c, linked with every library.
TEST_PROGRAMS := $(patsubst tests/integration/%.c,$(B)/integration/%,$(wildcard tests/integration/*.c))
$(B)/integration/%: tests/integration/%.c $(LIBS) | $(CURL_HOW)
	@mkdir -p $(@D)
	$(call q,LD,integration/$*)$(CC) $(ALLFLAGS) -Itests -MMD -MP -MF $@.d -o $@ $< \
	  $(LDALL) $(LIBGROUP) $(ALLLIBS)

# The one that uses the shared library, as a stranger's program would.
$(B)/integration/vollib_driver: tests/integration/vollib_driver.c library
	@mkdir -p $(@D)
	$(call q,LD,integration/vollib_driver)$(CC) $(ALLFLAGS) -Iinstaller/libvolume -MMD -MP -MF $@.d -o $@ $< \
	  $(LDALL) -pie -L$(B) -Wl,-rpath,'$$ORIGIN/..' -lslipway-volume -lpthread

.PHONY: unit unit-programs cli integration page components check test lint fuzz fuzz-programs bench drill
unit-programs: $(UNIT)
unit: $(UNIT) ## unit tests: seconds, no network, no root (ONLY=name for some)
	@scripts/dev/run-unit $(UNIT)
cli: all ## tests of the command line
	@B=$(B) JOBS=$${JOBS:-2} scripts/dev/run-scripts cli $(ONLY)
integration: all $(TEST_PROGRAMS) ## tests on real etcd, Docker and Ceph (ONLY=name for some)
	@B=$(B) JOBS=$${JOBS:-3} scripts/dev/run-scripts integration $(ONLY)
page: all ## the controller's page in a browser; needs node, npm and chromium (PAGE_ONLY="edits logs" for some)
	@B=$(B) JOBS=1 scripts/dev/run-scripts page
components: all ## the components' hooks alone, in containers; after a change of hooks (PART=etcd|ceph|monitors|three)
	@bash tests/components/components.sh $(PART)
check: ## lint, unit and command line: what to run before a commit
	@scripts/dev/test lint unit cli
test: ## every test: installs what is missing, then all rings, with a total
	@scripts/dev/deps test
	@scripts/dev/test
lint: all ## the rules that a machine holds (RULE=name for one)
	@B=$(B) scripts/dev/lint $(RULE)

# Fuzzing: tests/fuzz/<name>.c is a libFuzzer harness, its corpus tests/data/fuzz/<name>/. "// link:
# installer/libvolume" links that folder too; only what is used of it, so that no library of the storage is loaded.
FUZZ         := $(patsubst tests/fuzz/%.c,build/fuzz/run/%,$(wildcard tests/fuzz/*.c))
ifeq ($(HAVE_LIBRBD),)
FUZZ         := $(filter-out %/volume_line,$(FUZZ))
else
build/fuzz/run/volume_line: $(call lib,installer/libvolume)
endif
FUZZ_SECONDS ?= 60
build/fuzz/run/%: tests/fuzz/%.c $(LIBS) | $(CURL_HOW)
	@mkdir -p $(@D)
	$(call q,FUZZ,$*)$(CC) $(ALLFLAGS) -fsanitize=fuzzer -Itests -MMD -MP -MF $@.d \
	  -o $@ $< $(LDALL) $(foreach d,$(call marks,link,$<),$(call lib,$(d))) $(LIBGROUP) $(ALLLIBS)
fuzz-programs:
	@$(MAKE) --no-print-directory B=build/fuzz CC=clang SAN=address,undefined \
	  CFLAGS='-O1 -g -fsanitize=fuzzer-no-link -fno-sanitize-recover=undefined' $(FUZZ)
fuzz: fuzz-programs $(B)/slipway-agent ## fuzz every parser (FUZZ_SECONDS=60 each, ONLY=name for one)
	@B=$(B) FUZZ_SECONDS=$(FUZZ_SECONDS) scripts/dev/run-fuzz $(ONLY)

DRILL_SECONDS = $(if $(filter command line,$(origin SECONDS)),$(SECONDS),600)
drill: all ## break two environments under writers and compare their data (SECONDS=600 SEED=n, SCRIPT=name or file)
	@SLIPWAY=$(CURDIR)/$(B)/slipway python3 -B tests/drill/drill.py --seconds $(DRILL_SECONDS) \
	  $(patsubst %,--seed %,$(SEED)) $(if $(SCRIPT),--script $(SCRIPT))

bench: ## measured figures, each beside its floor or peer; installs what is missing (ONLY=name for one)
	@scripts/dev/deps bench
	@$(MAKE) --no-print-directory all
	@B=$(B) scripts/dev/run-bench $(ONLY)

.PHONY: demo deps fmt man completion install uninstall clean help
demo: ## from a fresh machine to a working, checked storage cluster
	@scripts/dev/demo
deps: ## install what building and testing need, start Docker
	@scripts/dev/deps test
fmt: ## format the sources
	@find installer etcd tests -name '*.[ch]' | xargs -r clang-format -i

man: all ## print the man pages into build/
	@$(B)/slipway man > build/slipway.1 && echo build/slipway.1
	@$(if $(HAVE_LIBRBD),cp $(B)/slipway-volume.3 build/ && echo build/slipway-volume.3)

# The layout that the programs look for beside themselves: bin/slipway, lib/slipway, share/slipway.
install: all $(if $(HAVE_LIBRBD),install-library) ## install under prefix=/usr/local (DESTDIR is honoured)
	install -d $(DESTDIR)$(prefix)/bin $(DESTDIR)$(prefix)/lib/slipway $(DESTDIR)$(prefix)/share/slipway
	install -m 755 $(B)/slipway $(B)/slipwayd $(DESTDIR)$(prefix)/bin/
	install -m 755 $(B)/slipway-init $(B)/slipway-agent $(DESTDIR)$(prefix)/lib/slipway/
	rm -rf $(DESTDIR)$(prefix)/share/slipway/components $(DESTDIR)$(prefix)/share/slipway/dockerfiles
	cp -r components dockerfiles $(DESTDIR)$(prefix)/share/slipway/
	rm -rf $(DESTDIR)$(prefix)/share/slipway/scripts
	install -d $(DESTDIR)$(prefix)/share/slipway/scripts/host
	cp -r scripts/host/steps scripts/host/inventory $(DESTDIR)$(prefix)/share/slipway/scripts/host/
	install -d $(DESTDIR)$(prefix)/share/man/man1 $(DESTDIR)$(prefix)/share/bash-completion/completions \
	  $(DESTDIR)$(prefix)/share/fish/vendor_completions.d
	$(B)/slipway man > $(DESTDIR)$(prefix)/share/man/man1/slipway.1
	$(B)/slipway completion bash > $(DESTDIR)$(prefix)/share/bash-completion/completions/slipway
	$(B)/slipway completion fish > $(DESTDIR)$(prefix)/share/fish/vendor_completions.d/slipway.fish

install-library: library
	@rm -f $(B)/slipway-volume.pc; $(MAKE) --no-print-directory -s B=$(B) prefix=$(prefix) $(B)/slipway-volume.pc
	install -d $(DESTDIR)$(prefix)/lib/pkgconfig $(DESTDIR)$(prefix)/include $(DESTDIR)$(prefix)/share/man/man3
	install -m 755 $(VOLUME_SO) $(DESTDIR)$(prefix)/lib/
	ln -sf $(notdir $(VOLUME_SO)) $(DESTDIR)$(prefix)/lib/libslipway-volume.so
	install -m 644 $(VOLUME_LIB).a $(DESTDIR)$(prefix)/lib/
	install -m 644 installer/libvolume/slipway-volume.h $(DESTDIR)$(prefix)/include/
	install -m 644 $(B)/slipway-volume.pc $(DESTDIR)$(prefix)/lib/pkgconfig/
	install -m 644 $(B)/slipway-volume.3 $(DESTDIR)$(prefix)/share/man/man3/

uninstall: ## remove what `make install` put there
	rm -rf $(DESTDIR)$(prefix)/lib/slipway $(DESTDIR)$(prefix)/share/slipway
	rm -f $(DESTDIR)$(prefix)/bin/slipway $(DESTDIR)$(prefix)/bin/slipwayd $(DESTDIR)$(prefix)/share/man/man1/slipway.1 \
	  $(DESTDIR)$(prefix)/share/bash-completion/completions/slipway \
	  $(DESTDIR)$(prefix)/share/fish/vendor_completions.d/slipway.fish $(DESTDIR)$(prefix)/lib/libslipway-volume.* \
	  $(DESTDIR)$(prefix)/lib/pkgconfig/slipway-volume.pc $(DESTDIR)$(prefix)/include/slipway-volume.h \
	  $(DESTDIR)$(prefix)/share/man/man3/slipway-volume.3

clean: ## remove everything that was built
	rm -rf build

help: ## this list
	@sed -n 's/^\([a-z-]*\):[^#]*## \(.*\)/\1	\2/p' Makefile | awk -F '\t' '{ printf "  make %-13s %s\n", $$1, $$2 }'

-include $(shell find $(B) -name '*.d' 2>/dev/null)
