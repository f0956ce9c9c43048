"""Makes, checks and reads a checkpoint: a self-contained folder that vLLM serves.

`convert` makes the folder from the original's five artefacts, and `add_encoders` adds the encoders
of the face later, `quantize` makes a smaller copy: `fetch` downloads them, `tensors` reads them, `vision`, `adapter` and
`face_encoders` know their contents. `layout` lists the tensors of the folder, `folder` writes it,
`tokenizer` builds its tokenizer, `manifest` records its sources, and `chat_template.jinja` is its
chat template.
"""
