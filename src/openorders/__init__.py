"""An order management server: one order book, five documented HTTP order APIs."""

__version__ = "0.1.0"
