"""Makes, checks and reads a checkpoint: a self-contained folder that vLLM serves.

`convert` makes the folder from the original's five artefacts: `fetch` downloads them, `tensors`
reads them, `vision` and `adapter` know their contents. `layout` lists the tensors of the folder,
`folder` writes it, `tokenizer` builds its tokenizer, `manifest` records its sources, and
`chat_template.jinja` is its chat template.
"""
