"""What can go wrong in the matcher, said so that the reader knows what to change."""


class MatcherError(Exception):
    """The matcher could not do what was asked."""


class InvalidPool(MatcherError, ValueError):
    """The pool holds something that cannot be: the message names the learner and the field."""


class InvalidParams(MatcherError, ValueError):
    """A parameter is out of its range: the message names the parameter and its range."""
