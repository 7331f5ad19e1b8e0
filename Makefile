# SPDX-License-Identifier: MIT
# One file, no configure. A program is the .c files of its folders; adding a source never edits this.
#   make [all]   make demo   make test   make check   make lint   make bench   make fuzz   make help
#   CC=clang   SAN=address,undefined | thread   V=1   WERROR=1

B       ?= build/$(notdir $(CC))$(if $(SAN),-$(subst $(comma),-,$(SAN)))
comma   := ,
CC      ?= gcc
ifeq ($(origin CC),default)
CC      := gcc
endif
PKGS    := libcurl libcjson yaml-0.1 libcrypto libarchive
WARN    := -Wall -Wextra -Wshadow -Wmissing-prototypes -Wstrict-prototypes -Wformat=2 -Wvla -Wcast-qual \
           -Wwrite-strings -Wundef -Wpointer-arith -Wimplicit-fallthrough $(if $(WERROR),-Werror)
CFLAGS  ?= -O2 -g
ALLFLAGS = -std=gnu17 $(CFLAGS) $(WARN) -D_GNU_SOURCE -D_FORTIFY_SOURCE=2 -fstack-protector-strong -fPIE \
           -DSLIPWAY_VERSION='"$(VERSION)"' -Iinstaller -I. $(if $(SAN),-fsanitize=$(SAN) -fno-omit-frame-pointer -U_FORTIFY_SOURCE)
LDALL    = $(LDFLAGS) -pie -Wl,-z,relro,-z,now -Wl,--as-needed $(if $(SAN),-fsanitize=$(SAN))
VERSION := 0.1.0

LIBDIRS := installer/base installer/conf installer/crypto etcd installer/model installer/engine installer/plan
src      = $(wildcard $(1)/*.c)
obj      = $(patsubst %.c,$(B)/%.o,$(call src,$(1)))
lib      = $(B)/lib$(notdir $(1)).a
LIBS    := $(foreach d,$(LIBDIRS),$(call lib,$(d)))

# Programs: what each links, top layer first.
slipway_dirs       := installer/cmd installer/plan installer/engine installer/model etcd installer/crypto installer/conf installer/base
slipway-agent_dirs := installer/agent installer/model etcd installer/crypto installer/conf installer/base
slipway-init_dirs  := installer/init installer/base
PROGRAMS           := $(foreach p,slipway slipway-agent slipway-init,$(if $(call src,$(firstword $($(p)_dirs))),$(B)/$(p)))

slipway_libs       := -lcurl -lcjson -lyaml -lcrypto -larchive -lpthread
slipway-agent_libs := -lcurl -lcjson -lyaml -lcrypto -lpthread
# PID 1 is static: it needs nothing of the image it runs in.
slipway-init_libs  := $(if $(SAN),,-static-pie)

.PHONY: all clean help
all: $(PROGRAMS)

q = $(if $(V),,@printf '  %-5s %s\n' $(1) $(2);)

$(B)/%.o: %.c
	@mkdir -p $(@D)
	$(call q,CC,$<)$(CC) $(ALLFLAGS) -MMD -MP -c -o $@ $<

define lib_rule
$(call lib,$(1)): $(call obj,$(1))
	@mkdir -p $$(@D); rm -f $$@
	$$(call q,AR,$$(@F))$(AR) rcs $$@ $$^
endef
$(foreach d,$(LIBDIRS) installer/cmd installer/agent installer/init,$(eval $(call lib_rule,$(d))))

define program_rule
$(B)/$(1): $(call obj,$(firstword $($(1)_dirs))) $(foreach d,$(wordlist 2,99,$($(1)_dirs)),$(call lib,$(d)))
	$$(call q,LD,$(1))$(CC) $(LDALL) -o $$@ $$^ $($(1)_libs)
endef
$(foreach p,slipway slipway-agent slipway-init,$(eval $(call program_rule,$(p))))

# Unit tests: tests/unit/<name>_test.c is one cmocka program, linked with every library. A line
# "// wrap: f g" in the file replaces those functions (ld --wrap).
UNIT      := $(patsubst tests/unit/%.c,$(B)/unit/%,$(wildcard tests/unit/*_test.c))
LIBGROUP   = -Wl,--start-group $(LIBS) -Wl,--end-group
$(B)/unit/%: tests/unit/%.c $(LIBS) $(wildcard tests/fake/*.c) $(wildcard tests/fake/*.h)
	@mkdir -p $(@D)
	$(call q,UNIT,$*)$(CC) $(ALLFLAGS) -Itests -MMD -MP -MF $@.d -o $@ $< \
	  $(patsubst %,tests/fake/%.c,$(shell sed -n 's,^// fake: ,,p' $<)) \
	  $(patsubst %,-Wl$(comma)--wrap=%,$(shell sed -n 's,^// wrap: ,,p' $<)) \
	  $(LDALL) $(LIBGROUP) -lcmocka -lcurl -lcjson -lyaml -lcrypto -larchive -lpthread
.PHONY: unit
unit: $(UNIT)
	@fail=0; for t in $(UNIT); do "$$t" || { echo "FAILED: $$t"; fail=1; }; done; exit $$fail

# Programs of the integration tests: tests/integration/<name>.c, linked with every library.
DRIVERS := $(patsubst tests/integration/%.c,$(B)/integration/%,$(wildcard tests/integration/*.c))
$(B)/integration/%: tests/integration/%.c $(LIBS)
	@mkdir -p $(@D)
	$(call q,LD,integration/$*)$(CC) $(ALLFLAGS) -Itests -MMD -MP -MF $@.d -o $@ $< \
	  $(LDALL) $(LIBGROUP) -lcurl -lcjson -lyaml -lcrypto -larchive -lpthread

clean:
	rm -rf build

-include $(shell find $(B) -name '*.d' 2>/dev/null)
