/* The disassembler's library; see zydis.c. */
#ifndef HOST_ZYDIS_H
#define HOST_ZYDIS_H

/* Loads the library, before the sandbox forbids it. Without it code is shown as bytes. */
void zydis_load(void);

#endif
