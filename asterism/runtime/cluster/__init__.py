"""The league on a Ray cluster: a coordinator and a vault on the head, and learners, actors and evaluators anywhere.

`training.ClusterTraining` starts and watches them; `program.Program` is what they compute. Ray comes with the extra
`cluster`, and nothing here but `connect` may be imported without it.
"""
