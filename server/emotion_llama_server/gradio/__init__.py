"""Describes the original's Gradio app in the form that its clients expect."""
