import re
import subprocess
import sys

from matcher.compiled import HERE, SOURCES, fingerprint


def test_fingerprint_covers_every_file_with_kernels():
    with_kernels = {
        path.name
        for path in HERE.glob("*.py")
        if re.search(r"^@(fast_)?kernel$", path.read_text(encoding="utf-8"), re.MULTILINE)
    }
    assert with_kernels == set(SOURCES)


def test_fingerprint_is_stable():
    assert fingerprint() == fingerprint()


def test_importing_the_face_loads_no_heavy_library():
    code = "import sys, matcher; print(sorted({'sklearn', 'ortools', 'pandas'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
