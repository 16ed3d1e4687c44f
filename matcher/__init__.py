"""Cohort matching: a pool of learners in, the best cohorts that keep the rules out.

Pure: arrays and dataclasses, no database, no clock but the time limit's, no global random state.
"""

from matcher.checks import plain_objective as objective_of
from matcher.exceptions import Infeasible, InvalidParams, InvalidPool, MatcherError
from matcher.keep import match_around
from matcher.match import match
from matcher.matching import CohortCheck, CohortResult, LearnerReason, Matching, Meeting, Share, Unplaced
from matcher.observed import Observed
from matcher.params import Params, Question
from matcher.pool import Answer, Exchange, Learner, Pool
from matcher.preview import Preview, score_cohorts
from matcher.progress import Progress
from matcher.rematch import CohortAfter, Move, Rematching, rematch
from matcher.said import Asked, Hours, Said, Traded, Value
from matcher.standing import Change, Standing

__all__ = [
    "Answer",
    "Asked",
    "Change",
    "CohortAfter",
    "CohortCheck",
    "CohortResult",
    "Exchange",
    "Hours",
    "Infeasible",
    "InvalidParams",
    "InvalidPool",
    "Learner",
    "LearnerReason",
    "MatcherError",
    "Matching",
    "Meeting",
    "Move",
    "Observed",
    "Params",
    "Pool",
    "Preview",
    "Progress",
    "Question",
    "Rematching",
    "Said",
    "Share",
    "Standing",
    "Traded",
    "Unplaced",
    "Value",
    "match",
    "match_around",
    "objective_of",
    "rematch",
    "score_cohorts",
]
