"""The domain: courses, sign-ups, runs, cohorts and who may do what. Knows no web framework."""
