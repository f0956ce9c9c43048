"""Turns the name of a clip into its pictures and its sound, without vLLM.

`read` fetches the bytes of a clip, `decode` makes a `Clip` of them, `workers` runs the decoding in
separate processes.
"""
