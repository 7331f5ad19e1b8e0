/* SPDX-License-Identifier: MIT */
/* Files that are part of a program: their text stays a file of its own, which its tools check. */
#ifndef BASE_EMBED_H
#define BASE_EMBED_H

/* Defines `name`, the text of the file `path` (from the root of the tree), ended by a NUL; a header
 * declares it as extern const char name[]. The Makefile has a line for each: EMBEDDED. */
#define EMBED_TEXT(name, path)                                                                     \
    __asm__(".pushsection .rodata\n"                                                               \
            ".global " #name "\n" #name ": .incbin \"" path "\"\n"                                 \
            ".byte 0\n"                                                                            \
            ".popsection\n")

#endif
