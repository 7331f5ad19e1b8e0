# SPDX-License-Identifier: MIT
# slipway-volume(3) from slipway-volume.h: the comment at its head is the description, the lines
# "---- TITLE ----" are sections, a comment describes the declarations that follow it.
# Usage: awk -v version=0.1.0 -f man.awk slipway-volume.h

function escape(text) {
    gsub(/\\/, "\\e", text)
    gsub(/-/, "\\-", text)
    return text
}

# Of a comment: `literally` in italics, also across the end of a line.
function flush_comment(    n, lines, i) {
    if (!comment)
        return
    comment = escape(comment)
    while (match(comment, /`[^`]*`/))
        comment = substr(comment, 1, RSTART - 1) "\\fI" substr(comment, RSTART + 1, RLENGTH - 2) \
            "\\fR" substr(comment, RSTART + RLENGTH)
    n = split(comment, lines, "\n")
    print ".PP"
    for (i = 1; i <= n; i++)
        print lines[i] == "" ? ".PP" : lines[i] ~ /^[.']/ ? "\\&" lines[i] : lines[i]
    comment = ""
}

# A declaration has the lines of the header, without what is meant for the compiler.
function flush_code() {
    sub(/\n+$/, "", code)
    if (code == "")
        return
    print ".PP\n.nf"
    print code
    print ".fi"
    flush_comment()
    code = ""
}

function add_comment(line) {
    sub(/^[ ]*\/?\*+\/?[ ]?/, "", line)
    sub(/[ ]*\*\/$/, "", line)
    comment = comment == "" ? line : comment "\n" line
}

BEGIN {
    print ".TH SLIPWAY\\-VOLUME 3 \"\" \"slipway " version "\" \"Slipway\""
    print ".SH NAME\nslipway\\-volume \\- read and write the volumes of a Slipway environment"
    print ".SH SYNOPSIS\n.nf\n#include <slipway\\-volume.h>\n.sp\ncc program.c $(pkg\\-config \\-\\-cflags \\-\\-libs slipway\\-volume)\n.fi"
}

# A directive and the lines that continue it.
/SPDX|^extern "C"/ { next }
/^#/ || directive {
    directive = /\\$/
    next
}

/^\/\* ---- / {
    flush_code()
    flush_comment()
    sub(/^\/\* ---- /, "")
    sub(/ ---- \*\/$/, "")
    print ".SH " toupper($0)
    next
}

/^\/\*/ { # a comment that stands alone
    flush_code()
    comment = ""
    add_comment($0)
    sub(/^\n/, "", comment)
    if ($0 !~ /\*\/$/)
        inside = 1
    next
}

inside {
    if ($0 ~ /\*\/$/) {
        inside = 0
        if ($0 !~ /^[ ]*\*\/$/)
            add_comment($0)
        if (!described++) {
            print ".SH DESCRIPTION"
            flush_comment()
        }
        next
    }
    add_comment($0)
    next
}

/^}$/ && !open { next }

/./ {
    line = $0
    if (sub(/^SV_API /, "", line))
        shifted = 1
    else if (line !~ /^ /)
        shifted = 0
    else if (shifted)
        line = substr(line, 8) # what follows on a second line moves with it
    if (line ~ /{$/)
        open = 1
    if (line ~ /^}/)
        open = 0
    code = code escape(line) "\n"
    next
}

!open { flush_code() }

END {
    flush_code()
    print ".SH SEE ALSO\n.BR slipway (1)"
}
