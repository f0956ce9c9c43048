"""Makes, checks and reads a checkpoint: a self-contained folder that vLLM serves.

`convert` makes the folder from the original's five artefacts, `add_encoders` adds the encoders of
the face later, and `quantize` writes a smaller copy: `fetch` downloads the artefacts, `tensors`
reads them, `vision`, `adapter` and `face_encoders` know their contents. `layout` lists the tensors
of the folder, `folder` writes it, `tokenizer` builds its tokenizer, `manifest` records its sources,
and `chat_template.jinja` is its chat template. `doctor` and `gpu_size` examine it.
"""
