"""The files of a checkpoint: a self-contained folder that vLLM serves.

`folder` writes it, `tokenizer` makes its tokenizer, `chat_template.jinja` is its chat template.
"""
