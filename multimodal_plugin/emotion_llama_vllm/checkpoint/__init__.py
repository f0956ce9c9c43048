"""The files of a checkpoint: a self-contained folder that vLLM serves.

`convert` makes it of the original's five artefacts; `tensors` reads those, `vision` and
`adapter` know what is in them, `fetch` makes remote ones local. `layout` says which tensors the
folder holds, `folder` writes it, `tokenizer` makes its tokenizer, `manifest` says what it was made
of, and `chat_template.jinja` is its chat template.
"""
