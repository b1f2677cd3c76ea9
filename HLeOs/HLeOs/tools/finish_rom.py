#!/usr/bin/python3
"""Makes an option ROM of its code, in place: as long as its third byte says (512 bytes each), with a sum of 0.

    tools/finish_rom.py FILE
"""
import sys
from pathlib import Path

file = Path(sys.argv[1])
rom = bytearray(file.read_bytes())
rom += bytes(rom[2] * 512 - len(rom))
rom[-1] = -sum(rom) & 0xff
file.write_bytes(rom)
