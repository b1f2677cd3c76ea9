/* A program's first instructions: RDI = argc, RSI = argv. What main returns is its status. */
        .text
        .globl  start
start:
        xorl    %ebp, %ebp
        pushq   $0                      /* as the kernel enters, RSP is 8 below a multiple of 16 */
        call    main
        movl    %eax, %edi
        call    exit
