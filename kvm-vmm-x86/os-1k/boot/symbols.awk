# Makes the kernel's symbol table, as assembly, from `nm -n` of a linked kernel.bin: each function's offset from text_begin
# and its name, in ascending order. An empty input makes an empty table.
BEGIN {
    print ".section .symbols, \"a\"\n.balign 4\n.globl symbol_table, symbol_table_end\nsymbol_table:"
}
$3 == "text_begin" { base = $1; $3 = "kernel_entry" }
$3 == "rodata_begin" { base = "" }
base != "" && $2 ~ /[tT]/ {
    printf ".long 0x%s - 0x%s, name_%d\n", $1, base, count
    names = names sprintf("name_%d: .asciz \"%s\"\n", count++, $3)
}
END {
    print "symbol_table_end:"
    printf "%s", names
}
