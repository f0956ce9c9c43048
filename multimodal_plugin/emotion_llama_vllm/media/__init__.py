"""From what a request names to one frame and its sound.

`source` says where a clip's bytes are and reads them, `decode` makes a `Clip` of them, `features`
opens the container that carries pre-extracted features. None of these knows vLLM. `connector` and
`loader` register them there.
"""
