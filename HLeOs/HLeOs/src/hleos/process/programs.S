/* The ELF files of user/ and their names: struct program (programs.h). */
#define TEXT(name)      #name
#define USER_FILE(name) TEXT(user/name.elf)
#define FILE(name)                                                                                 \
        .balign 16;                                                                                \
        file_##name: .incbin USER_FILE(name);                                                 \
        end_##name:                                                                                \
        name_##name: .asciz #name
#define ROW(name) .quad name_##name, file_##name, end_##name

        .section .rodata
FILE(hello)
FILE(syscalls)
FILE(abuse)

        .balign 8
        .globl  programs
programs:
ROW(hello)
ROW(syscalls)
ROW(abuse)
        .quad   0, 0, 0
