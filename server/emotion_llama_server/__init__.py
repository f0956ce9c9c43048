"""The server: vLLM's OpenAI server with Emotion-LLaMA's own routes beside it.

`cli` is the command, `serve` starts everything, `plugin` adds the routes to vLLM's app, `engine`
is the only module that asks the model, `routes` are ours, `errors` decides how a failure is told.
"""
