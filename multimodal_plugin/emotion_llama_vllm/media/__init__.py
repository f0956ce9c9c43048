"""From the name of a clip to its pictures and its sound; nothing here knows vLLM.

`read` brings the bytes of a clip here, `decode` makes a `Clip` of them, `workers` are the processes
in which that happens.
"""
