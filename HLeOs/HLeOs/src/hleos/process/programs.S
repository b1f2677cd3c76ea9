/* The ELF files of user/ and their names: struct program (programs.h). PROGRAMS, from the Makefile,
 * names each of them as PROGRAM(name). */
#define TEXT(name)      #name
#define USER_FILE(name) TEXT(user/name.elf)

        .section .rodata
#define PROGRAM(name)                                                                              \
        .balign 16;                                                                                \
        file_##name: .incbin USER_FILE(name);                                                 \
        end_##name:                                                                                \
        name_##name: .asciz #name;
PROGRAMS
#undef PROGRAM

        .balign 8
        .globl  programs
programs:
#define PROGRAM(name) .quad name_##name, file_##name, end_##name;
PROGRAMS
        .quad   0, 0, 0
