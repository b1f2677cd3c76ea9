# Makes the table that common/symbols.c searches, as assembly, from `nm -n` of a linked kernel: its functions in the order
# of their addresses, which are told from text_begin on. What the linker script names is no function. An empty input makes
# an empty table.
BEGIN { count = 0 }
$3 == "text_begin" { base = $1 }
$2 ~ /^[tT]$/ && $3 !~ /^(image|kernel|text)_(begin|start|end)$/ && $1 != last {
    last = address[count] = $1
    name[count++] = $3
}
END {
    print ".section .symbols, \"a\"\n.balign 4\n.globl symbols_table, symbols_count, symbols_names\nsymbols_table:"
    for (i = 0; i < count; i++)
        printf ".long 0x%s - 0x%s, name_%d - symbols_names\n", address[i], base, i
    printf "symbols_count: .long %d\nsymbols_names:\n", count
    for (i = 0; i < count; i++)
        printf "name_%d: .asciz \"%s\"\n", i, name[i]
    print ".section .note.GNU-stack, \"\", @progbits"
}
