"""`make same`: the published tables of two builds, compared row by row and value by value.

It compares other revisions of the project, so nothing here imports `pipelines`, `schemas` or
`samples`: a revision is known by its `make` targets, its command and the database that it
publishes.
"""
