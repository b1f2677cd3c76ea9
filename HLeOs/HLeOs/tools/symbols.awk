# Turns `nm -n` of the kernel into the table that hleos/symbols.c searches: text symbols, by address.
BEGIN { print ".section .symbols, \"a\"\n.balign 4\n.globl symbols_table, symbols_count, symbols_names\nsymbols_table:" }
$2 ~ /^[tT]$/ && $3 != "text_end" && $1 != last {
    last = $1
    names[count] = $3
    # The upper half of the address is the same for all: KERNEL_BASE.
    printf ".long 0x%s - 0x80000000, name_%d - symbols_names\n", substr($1, 9), count++
}
END {
    printf "symbols_count: .long %d\nsymbols_names:\n", count
    for (i = 0; i < count; i++)
        printf "name_%d: .asciz \"%s\"\n", i, names[i]
    print ".section .note.GNU-stack, \"\", @progbits"
}
