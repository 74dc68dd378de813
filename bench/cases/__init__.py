"""The cases, a file each, in the order in which they are measured.

Starting comes first, while nothing else runs. Memory comes after everything that asks the large
server for something, and deliveries last, with servers of their own.
"""

from bench.cases.export import EXPORT
from bench.cases.filters import FILTERS
from bench.cases.get import GET
from bench.cases.lists import LISTS
from bench.cases.memory import MEMORY
from bench.cases.metrics import METRICS
from bench.cases.place import CROWDED, PLACE
from bench.cases.start import START
from bench.cases.webhooks import WEBHOOKS

ALL = (START, PLACE, GET, LISTS, FILTERS, METRICS, EXPORT, CROWDED, MEMORY, WEBHOOKS)
