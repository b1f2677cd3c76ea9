/* The disassembler's library; see zydis.c. */
#ifndef HOST_ZYDIS_H
#define HOST_ZYDIS_H

/* Loads it: once the program is in its sandbox it cannot be. Without it code is shown as bytes. */
void zydis_load(void);

#endif
