#!/bin/bash
# SPDX-License-Identifier: MIT
# Each rule of `make lint` must catch a planted violation, and must be silent about a clean tree.
set -eu
. "$(dirname "$0")/../lib.sh"

dev=$ROOT/scripts/dev

# A small tree that breaks no rule.
fresh() {
    tree=$TMP/tree
    rm -rf "$tree"
    mkdir -p "$tree"/{installer/{base,conf,init},etcd,components/thing/hooks,components/thing/templates}
    cat >"$tree/installer/layers" <<'END'
installer/base:
installer/conf: installer/base
installer/init: installer/base
etcd: installer/base
<yaml.h>: installer/conf
END
    printf '/* SPDX-License-Identifier: MIT */\n#include <stddef.h>\nint base_a(int a); /* Itself. */\n' \
        >"$tree/installer/base/a.h"
    printf '/* SPDX-License-Identifier: MIT */\n#include "base/a.h"\n\nint base_a(int a)\n{\n    return a;\n}\n' \
        >"$tree/installer/base/a.c"
    printf '%s\n' '/* SPDX-License-Identifier: MIT */' '#include <yaml.h>' '#include "base/a.h"' \
        'int (*conf_c)(int) = base_a;' >"$tree/installer/conf/c.c"
    printf '/* SPDX-License-Identifier: MIT */\n#include "base/a.h"\n' >"$tree/etcd/e.h"
    printf 'name: thing\nsummary: x\ntemplates:\n  a.conf: /etc/a.conf\nports: {}\n' \
        >"$tree/components/thing/component.yaml"
    echo 'a: b' >"$tree/components/thing/templates/a.conf"
    echo '# thing' >"$tree/components/thing/README.md"
    printf '#!/bin/sh\n# SPDX-License-Identifier: MIT\nexit 0\n' >"$tree/components/thing/hooks/health"
    chmod +x "$tree/components/thing/hooks/health"
}

# planted RULE WORDS: the rule fails on the tree and says the words.
planted() {
    local rule=$1 words=$2 out status=0
    out=$(B=build/gcc "$dev/check-$rule" "$tree" 2>&1) || status=$?
    if [ "$status" != 0 ] && [[ $out == *"$words"* ]]; then
        ok "check-$rule: $words"
    else
        not_ok "check-$rule: $words" "status $status
$out"
    fi
}

clean() { check "check-$1 is silent about a clean tree" env B=build/gcc "$dev/check-$1" "$tree"; }

compile() {
    mkdir -p "$tree/build/gcc/installer/base"
    gcc -O2 -fPIE -D_GNU_SOURCE -w -I"$tree/installer" -c -o "$tree/build/gcc/installer/base/${1%.c}.o" \
        "$tree/installer/base/$1"
}

fresh
for rule in layers sizes keys manifests text shell; do clean "$rule"; done

# Layers
echo '#include "conf/c.h"' >>"$tree/installer/base/a.c"
planted layers 'installer/base may not include "conf/c.h"'
fresh
printf '#include "etcd/e.h"\n' >"$tree/installer/init/main.c"
planted layers 'installer/init may not include "etcd/e.h"'
fresh
printf '#include "base/b.h"\n' >>"$tree/installer/base/a.h"
printf '#include "base/a.h"\n' >"$tree/installer/base/b.h"
planted layers 'headers that include each other'
planted layers 'installer/base/b.h'
fresh
mkdir "$tree/installer/new"
echo >"$tree/installer/new/n.c"
echo '#include "base/a.h"' >"$tree/installer/new/n.c"
planted layers 'installer/new: unknown folder'
fresh
printf '"base/a.h": installer/conf etcd\n' >>"$tree/installer/layers"
clean layers
echo '#include "base/a.h"' >"$tree/installer/init/main.c"
planted layers 'installer/init may not include "base/a.h"'
fresh
printf 'getenv(): installer/conf\n' >>"$tree/installer/layers"
printf '/* getenv */\nconst char *conf_b(void) { return getenv("X"); }\n' >"$tree/installer/conf/b.c"
printf '/* getenv("X") */\nconst char *base_b(void) { return "getenv()"; }\n' >"$tree/installer/base/b.c"
clean layers
for text in 'return getenv ("X");' 'char *(*f)(const char *) = getenv; return f("X");'; do
    printf '\nconst char *base_c(void) { %s }\n' "$text" >"$tree/installer/base/c.c"
    planted layers 'installer/base/c.c:2: installer/base may not call getenv'
done
fresh
echo '#include <yaml.h>' >>"$tree/etcd/e.h"
planted layers 'etcd may not include <yaml.h>'
fresh
echo '#include "a.h"' >>"$tree/installer/base/a.c"
planted layers 'from the root of its layer'

# Sizes
fresh
for _ in $(seq 500); do echo '/* */'; done >>"$tree/installer/base/a.c"
planted sizes 'lines, the limit is 500'
fresh
for _ in $(seq 300); do echo '/* */'; done >>"$tree/installer/base/a.h"
planted sizes 'lines, the limit is 300'
fresh
{
    printf 'int base_long(void);\nint base_long(void)\n{\n'
    for _ in $(seq 80); do echo '    base_a(1);'; done
    printf '    return 0;\n}\n'
} >>"$tree/installer/base/a.c"
planted sizes 'base_long has 84 lines, the limit is 80'
fresh
echo 'int base_many(int a, int b, int (*c)(int, int), int d, int e, int f) { return a; }' >>"$tree/installer/base/a.c"
planted sizes 'base_many has 6 parameters, the limit is 5'
fresh
echo 'int base_five(int a, int b, int c, int d, int x, struct err *e) { return a; }' >>"$tree/installer/base/a.c"
check "the error does not count as a parameter" "$dev/check-sizes" "$tree"
printf '/* %100s */\n' x >>"$tree/installer/base/a.c"
planted sizes 'a.c:9: longer than 100 columns'
fresh
printf '/* %s */\n' "$(printf 'é%.0s' $(seq 90))" >>"$tree/installer/base/a.c"
check "columns are characters, not bytes" "$dev/check-sizes" "$tree"

# Dialect
fresh
clean dialect
dialect() { # WORDS TEXT: a function with this body is told of
    fresh
    printf '#include <stdlib.h>\nint base_d(char *p);\nint base_d(char *p)\n{\n%b\n}\n' "$2" \
        >>"$tree/installer/base/a.c"
    planted dialect "$1"
}
fresh
mkdir -p "$tree/installer/cmd"
printf 'int f(const char *p)\n{\n    printf("%%-9s\\n", p);\n    puts(p);\n    puts("x");\n    return 0;\n}\n' \
    >"$tree/installer/cmd/c.c"
planted dialect 'c.c:3: printf of a text'
planted dialect 'c.c:4: puts of a text'
mv "$tree/installer/cmd/c.c" "$tree/installer/cmd/out.c"
clean dialect
dialect 'a.c:12: no blank line after the declarations' '    int a = 1;\n    return a;'
dialect 'a blank line between declarations' '    int a = 1;\n\n    int b = 1;\n\n    return a + b;'
dialect 'sizeof without its bracket' '    return sizeof *p;'
dialect 'p == NULL: write !p' '    return p == NULL;'
dialect 'p != NULL as a condition' '    if (p != NULL)\n        return 1;\n    return 0;'
dialect 'auto_free does not stand first' '    char *auto_free q = NULL;\n\n    return 0;'
dialect 'a status int is called r, not rc' '    int rc = base_a(1);\n\n    return rc;'
dialect 'a status int is called r, not result' '    char *r = p;\n    int result = base_a(*r);\n\n    return result;'
dialect 'a banner is one line' '    /* ---- one ------- */\n    return 0;'
dialect 'only the end of the comment' '    /* A sentence.\n     */\n    return 0;'
fresh
printf 'int base_v(char *p);\nint base_v(char *p)\n{\n    return p != NULL;\n}\n' >>"$tree/installer/base/a.c"
clean dialect

# Headers
fresh
clean headers
printf '\nint base_b(int b);\n' >>"$tree/installer/base/a.h"
printf 'int conf_d(void) { return base_b(1); }\n' >>"$tree/installer/conf/c.c"
planted headers 'installer/base/a.h:5: base_b has no comment that says what it promises'
sed -i 's,^int base_b,/* One. */\n&,' "$tree/installer/base/a.h"
clean headers
printf 'int base_c(\n    int c);\n' >>"$tree/installer/base/a.h"
printf 'int conf_e(void) { return base_c(1); }\n' >>"$tree/installer/conf/c.c"
clean headers # the paragraph's comment is for all of it
printf '\n/* A type. */\nstruct base_s {\n    int (*f)(int a);\n};\n\nint base_d(void);\n' >>"$tree/installer/base/a.h"
printf 'int conf_f(void) { return base_d(); }\n' >>"$tree/installer/conf/c.c"
planted headers 'installer/base/a.h:15: base_d has no comment that says what it promises'
fresh
printf '\n/* One. */\nint base_b(void);\n' >>"$tree/installer/base/a.h"
printf '/* base_b() */\nint base_b(void)\n{\n    return base_a(1) + "base_b()"[0];\n}\n' >>"$tree/installer/base/a.c"
mkdir -p "$tree/tests/unit"
printf 'int main(void) { return base_b(); }\n' >"$tree/tests/unit/a_test.c"
planted headers 'installer/base/a.h:6: base_b is used by no program'

# Prose
prose() { # WORDS: the rule says them of what was planted; a fresh tree has a README in each folder
    planted prose "$1"
    fresh
    touch "$tree"/{components,etcd,installer{,/base,/conf,/init}}/README.md
}
fresh
prose 'installer/base: no README.md'
clean prose
seq 61 >"$tree/etcd/README.md"
prose 'etcd/README.md: 61 lines, the limit is 60'
printf 'Read `a.h`, `base/a.c`, `NAME.c` and `gone.h`.\n' >"$tree/installer/base/README.md"
prose 'installer/base/README.md:1: there is no file gone.h'
printf '%s\n' "$(printf 'word %.0s' $(seq 25))" >>"$tree/installer/README.md"
prose 'installer/README.md:1: longer than 120 columns'
printf '| %s |\n' "$(printf 'word %.0s' $(seq 25))" >>"$tree/installer/README.md"
clean prose
printf '# %s\n' "$(printf 'word %.0s' $(seq 25))" >>"$tree/components/thing/hooks/health"
prose 'hooks/health:4: longer than 120 columns'
printf 'echo %s\n' "$(printf 'word %.0s' $(seq 25))" >>"$tree/components/thing/hooks/health"
prose 'hooks/health:4: longer than 120 columns'
printf '%s\n' '"""Words."""' "WORDS = '$(printf 'word %.0s' $(seq 25))'" >>"$tree/installer/words.py"
prose 'installer/words.py:2: longer than 120 columns'
printf '/* Makes it an''ew. */\n' >>"$tree/installer/base/a.c"
prose '"an''ew": write: again'
printf 'static void is_read_an''ew(void);\n' >>"$tree/installer/base/a.c"
prose '"an''ew": write: again'
printf '/* Nothing, and NULL, is n''o size. */\n' >>"$tree/installer/base/a.c"
prose '"is n''o ": write: is not a'
printf '# It bri''ngs the new size about.\n' >>"$tree/components/thing/hooks/health"
prose 'write: applies it; causes'
printf '# Bri''ngs the new size about.\n' >>"$tree/components/thing/hooks/health"
prose 'write: applies it; causes'
printf '# No w''ord why.\n' >>"$tree/components/thing/hooks/health"
prose 'write: it said nothing'

# Symbols
fresh
compile a.c
clean symbols
cat >>"$tree/installer/base/a.c" <<'END'
static const char *const table[] = {"a", "b"};
const char *base_name(int i);
const char *base_name(int i) { return table[i]; }
END
compile a.c
check "a const table of pointers is not a mutable global" env B=build/gcc "$dev/check-symbols" "$tree"
printf 'static int counter;\nint base_next(void);\nint base_next(void) { return ++counter; }\n' \
    >>"$tree/installer/base/a.c"
compile a.c
planted symbols 'installer/base/a.c: counter is a mutable global'
fresh
printf 'int base_next(void);\nint base_next(void) { static int n = 7; return ++n; }\n' >>"$tree/installer/base/a.c"
compile a.c
planted symbols 'is a mutable global'
fresh
printf '_Thread_local int base_mine;\n' >>"$tree/installer/base/a.c"
compile a.c
planted symbols 'base_mine is a mutable global'
fresh
printf '%s\n' '#include <string.h>' 'void base_copy(char *a, const char *b);' \
    'void base_copy(char *a, const char *b) { strcpy(a, b); }' \
    >>"$tree/installer/base/a.c"
compile a.c
planted symbols 'a.c: calls strcpy, which is banned'
fresh
printf '#include <stdio.h>\nint base_print(char *a);\nint base_print(char *a) { return sprintf(a, "x"); }\n' \
    >>"$tree/installer/base/a.c"
planted symbols 'a.c: calls sprintf, which is banned'
fresh
printf '#include <stdlib.h>\nint (*base_pointer(void))(const char *) { return system; }\n' >>"$tree/installer/base/a.c"
compile a.c
planted symbols 'a.c: calls system, which is banned'
fresh
printf '/* strcpy(a, b) is not called here */\nconst char *base_text(void) { return "atoi(x)"; }\n' \
    >>"$tree/installer/base/a.c"
compile a.c
check "comments and strings may name a banned call" env B=build/gcc "$dev/check-symbols" "$tree"

# Circles
fresh
printf 'int base_b(void);\nint base_a(int a);\nint base_b(void) { return base_a(1); }\n' >"$tree/installer/base/b.c"
compile a.c
compile b.c
clean circles
printf 'int base_b(void);\nint base_c(void);\nint base_c(void) { return base_b(); }\n' >>"$tree/installer/base/a.c"
compile a.c
planted circles 'installer/base/a.c: calls base_b of b.c, in a circle'
planted circles 'installer/base/b.c: calls base_a of a.c, in a circle'
rm "$tree/installer/base/b.c"
check "the object of a source that is gone makes no circle" env B=build/gcc "$dev/check-circles" "$tree"

# Keys
for text in '"/slipway/%s/spec"' '"%sinstances/"' '"/config/"'; do
    fresh
    printf 'const char *base_key(void);\nconst char *base_key(void) { return %s; }\n' "$text" \
        >>"$tree/installer/base/a.c"
    planted keys "installer/base/a.c:9: a path of etcd's keys"
done
fresh
mkdir -p "$tree/installer/model"
printf '/* SPDX-License-Identifier: MIT */\nconst char *keys_root(void) { return "/slipway/"; }\n' \
    >"$tree/installer/model/keys.c"
printf '/* "/slipway/demo/spec" */\nconst char *base_run(void) { return "/run/slipway/x"; }\n' \
    >>"$tree/installer/base/a.c"
check "model/keys.c and comments may hold a path of etcd's keys" "$dev/check-keys" "$tree"

# Manifests
fresh
chmod -x "$tree/components/thing/hooks/health"
planted manifests 'hooks/health: is not executable'
fresh
cp -p "$tree/components/thing/hooks/health" "$tree/components/thing/hooks/helth"
planted manifests 'hooks/helth: no hook has this name'
fresh
sed -i 's/name: thing/name: thin/' "$tree/components/thing/component.yaml"
planted manifests 'name is not thing'
fresh
rm "$tree/components/thing/templates/a.conf"
planted manifests 'no templates/a.conf'
fresh
rm "$tree/components/thing/component.yaml"
planted manifests 'components/thing: no component.yaml'
fresh
rm "$tree/components/thing/README.md"
planted manifests 'no README.md'

# Text and shell
fresh
printf 'int x; \n' >>"$tree/installer/base/a.h"
planted text 'a.h:4: blanks at the end of the line'
fresh
printf 'int x;\r\n' >>"$tree/installer/base/a.h"
planted text 'has carriage returns'
fresh
printf 'int x;' >>"$tree/installer/base/a.h"
planted text 'no newline at the end'
fresh
sed -i 1d "$tree/installer/base/a.h"
planted text 'a.h: no SPDX-License-Identifier'
fresh
# shellcheck disable=SC2016 # the planted script is the one that expands
printf 'rm -rf $UNSET/*\n' >>"$tree/components/thing/hooks/health"
planted shell 'SC2086'

finish
