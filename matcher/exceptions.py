"""What can go wrong in the matcher, said so that the reader knows what to change."""


class MatcherError(Exception):
    """The matcher could not do what was asked."""


class InvalidPool(MatcherError, ValueError):
    """The pool holds something that cannot be: the message names the learner and the field."""


class InvalidParams(MatcherError, ValueError):
    """A parameter is out of its range: the message names the parameter and its range."""


class Infeasible(MatcherError):
    """Rules contradict each other whatever anybody else does.

    Attributes:
        learners: ids of the fewest learners among whom they do.
        rules: names of the rules that cannot all hold for them.
    """

    def __init__(self, message: str, learners: tuple[str, ...], rules: tuple[str, ...]) -> None:
        super().__init__(message)
        self.learners = learners
        self.rules = rules
