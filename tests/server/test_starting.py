"""What a start does to its process, and to one that is born in the middle of it."""

import gc
import sys

from openorders.server.starting import starting


def test_a_process_born_during_a_start_ends_its_own_as_usual():
    usual = sys.getswitchinterval()
    try:
        with starting():
            assert not gc.isenabled()
            with starting():  # the keeper's, in the copy that it is
                pass
            assert gc.isenabled()
            assert sys.getswitchinterval() == usual
        assert sys.getswitchinterval() == usual
    finally:
        gc.unfreeze()
