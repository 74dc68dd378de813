"""What commands make of the faults they meet."""

import pytest

from openorders.cli.working import sentences


def test_a_reader_who_has_enough_is_no_fault_of_the_database():
    with pytest.raises(BrokenPipeError), sentences():
        raise BrokenPipeError
