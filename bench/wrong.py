"""The one way in which a case fails."""


class Wrong(Exception):
    """A request failed, an answer was not what it has to be, or a server did not start: there is
    nothing to measure, and the message says why.
    """
