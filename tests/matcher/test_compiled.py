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


def test_warm_up_leaves_out_what_a_match_cannot_need():
    code = (
        "import datetime as dt; from matcher import Params; from matcher.solve import warm_up;"
        "from matcher.tempering import descend; counts = [];"
        "some = Params(start=dt.date(2027, 1, 11), size_min=4, target_size=5, size_max=6);"
        "warm_up(some); counts.append(len(descend.signatures));"
        "warm_up(); counts.append(len(descend.signatures)); print(counts)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[0, 1]\n"
