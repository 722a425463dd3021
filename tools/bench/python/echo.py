"""A child that does no more with bytes than a plugin must: it reads them and writes them back.

On the descriptors that it is given (default 0 and 1).
"""

import os
import sys

READ = int(sys.argv[1]) if len(sys.argv) > 1 else 0
WRITE = int(sys.argv[2]) if len(sys.argv) > 2 else 1

while data := os.read(READ, 1 << 20):
    view = memoryview(data)
    while view:
        view = view[os.write(WRITE, view) :]
