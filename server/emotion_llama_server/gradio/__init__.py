"""The original's Gradio app, as its clients look for it."""
